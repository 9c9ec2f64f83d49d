import { describe, expect, it } from 'vitest';
import { toldByK6, toldByMemcaslap, toldByMemtier, toldByMutilate, toldByOha, toldByVegeta, toldByWrk } from './tellings.ts';

describe('what a tool says of its latencies is read from', () => {
  it("memtier's JSON", () => {
    const totals = { Count: 100_959, 'Max Latency': 9.087, 'Percentile Latencies': { 'p50.00': 0.479, 'p99.00': 0.775 } };
    expect(toldByMemtier(JSON.stringify({ 'ALL STATS': { Totals: totals } }))).toEqual({ p99Ms: 0.775, maxMs: 9.087, sent: 100_959 });
  });

  it("memcaslap's last table, which has no percentile", () => {
    const tables = (max: number): string => `Get Statistics (248146 events)\n   Min:        27\n   Max:      ${max}\n`;
    const text = `${tables(1)}\nTotal Statistics (100 events)\n   Min:        27\n   Max:      1000\n${tables(2)}\nTotal Statistics (248146 events)\n   Min:        27\n   Max:      6162\n   Avg:       402\n`;
    expect(toldByMemcaslap(text)).toEqual({ maxMs: 6.162, sent: 248_146 });
  });

  it("mutilate's table", () => {
    const text =
      '#type       avg     std     min     5th    10th    90th    95th    99th\nread      584.9   186.6   117.4   436.1   449.9   787.7   851.8  1024.2\n\nTotal QPS = 85445.9 (85451 / 1.0s)\n';
    expect(toldByMutilate(text)).toEqual({ p99Ms: 1.0242, sent: 85_451 });
  });

  it('the line of our k6 script', () => {
    expect(toldByK6('time="..." level=warning\n{"p99Ms":5.87,"maxMs":300.1,"sent":5446,"dropped":553}\n')).toEqual({
      p99Ms: 5.87,
      maxMs: 300.1,
      sent: 5_446,
      dropped: 553,
    });
  });

  it("vegeta's report", () => {
    expect(toldByVegeta('{"latencies":{"50th":118614,"99th":829989,"max":2716334},"requests":2000}')).toEqual({
      p99Ms: 0.829989,
      maxMs: 2.716334,
      sent: 2_000,
    });
  });

  it("wrk's and wrk2's tables, in whatever unit", () => {
    const wrk =
      '    Latency   279.35us  222.92us   4.54ms   95.66%\n    Req/Sec   107.34k    11.95k  121.82k    60.00%\n     50%  236.00us\n     99%    0.90ms\n  106809 requests in 1.00s, 4.07MB read\n';
    expect(toldByWrk(wrk)).toEqual({ p99Ms: 0.9, maxMs: 4.54, sent: 106_809 });
    const wrk2 = '    Latency     0.86s   444.27us   1.01s    66.46%\n 99.000%  910.34ms\n 99.900%    3.06ms\n  4006 requests in 2.00s, 1.02KB read\n';
    expect(toldByWrk(wrk2)).toEqual({ p99Ms: 910.34, maxMs: 1_010, sent: 4_006 });
  });

  it("oha's JSON", () => {
    const text = JSON.stringify({ summary: { slowest: 0.5 }, latencyPercentiles: { p99: 0.25 }, statusCodeDistribution: { 200: 1_999, 500: 1 } });
    expect(toldByOha(text)).toEqual({ p99Ms: 250, maxMs: 500, sent: 2_000 });
  });

  it('nothing, where it says nothing', () => {
    expect([toldByMemcaslap(''), toldByMutilate(''), toldByWrk(''), toldByK6('')]).toEqual([{}, {}, {}, {}]);
  });
});

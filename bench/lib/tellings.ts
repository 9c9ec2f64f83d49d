/**
 * What generators say about their own latencies, read from their output. Everything in ms; what a tool does not tell is left out.
 */

export interface Told {
  readonly p99Ms?: number;
  readonly maxMs?: number;
  /** Requests that it sent or, where it counts only those, that were answered. */
  readonly sent?: number;
  /** Requests that it should have sent and did not, by its own count. */
  readonly dropped?: number;
}

const UNIT_MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000, m: 60_000 };

/** memtier's JSON file. */
export function toldByMemtier(json: string): Told {
  const { Totals: totals } = (
    JSON.parse(json) as { 'ALL STATS': { Totals: { Count: number; 'Max Latency': number; 'Percentile Latencies': Record<string, number> } } }
  )['ALL STATS'];
  return only({ p99Ms: totals['Percentile Latencies']['p99.00'], maxMs: totals['Max Latency'], sent: totals.Count });
}

/** The last of memcaslap's tables: it tells extremes, averages and powers of two, no percentile. */
export function toldByMemcaslap(text: string): Told {
  const [, events, maxUs] = /Total Statistics \((\d+) events\)\s+Min:\s+\d+\s+Max:\s+(\d+)(?![\s\S]*Total Statistics \()/.exec(text) ?? [];
  return only({ maxMs: maxUs === undefined ? undefined : Number(maxUs) / 1_000, sent: events === undefined ? undefined : Number(events) });
}

/** mutilate's table, whose last column is the 99th percentile, us. */
export function toldByMutilate(text: string): Told {
  const read = /^read\s+(.*)$/m.exec(text)?.[1]?.trim().split(/\s+/).map(Number) ?? [];
  const sent = /Total QPS = [\d.]+ \((\d+) \//.exec(text)?.[1];
  return only({ p99Ms: read.length === 8 ? (read[7] as number) / 1_000 : undefined, sent: sent === undefined ? undefined : Number(sent) });
}

/** What our k6 script prints. */
export function toldByK6(text: string): Told {
  const line = text.split('\n').find((candidate) => candidate.startsWith('{"p99Ms"')) ?? '{}';
  return only(JSON.parse(line) as Told);
}

/** `vegeta report -type=json`, in ns. */
export function toldByVegeta(json: string): Told {
  const { latencies, requests } = JSON.parse(json) as { latencies: { '99th': number; max: number }; requests: number };
  return { p99Ms: latencies['99th'] / 1e6, maxMs: latencies.max / 1e6, sent: requests };
}

/** wrk and wrk2 with --latency. */
export function toldByWrk(text: string): Told {
  const percentile = (name: string): number | undefined => {
    const [, value, unit = ''] = new RegExp(`^\\s*${name}%\\s+([\\d.]+)(us|ms|s|m)\\b`, 'm').exec(text) ?? [];
    return value === undefined ? undefined : Number(value) * (UNIT_MS[unit] as number);
  };
  const [, maximum, maximumUnit = ''] = /^\s*Latency\s+[\d.]+\w+\s+[\d.]+\w+\s+([\d.]+)(us|ms|s|m)\b/m.exec(text) ?? [];
  const sent = /^\s*(\d+) requests in/m.exec(text)?.[1];
  return only({
    p99Ms: percentile('99') ?? percentile('99\\.000'),
    maxMs: maximum === undefined ? undefined : Number(maximum) * (UNIT_MS[maximumUnit] as number),
    sent: sent === undefined ? undefined : Number(sent),
  });
}

/** oha's JSON, in seconds. */
export function toldByOha(json: string): Told {
  const { summary, latencyPercentiles, statusCodeDistribution } = JSON.parse(json) as {
    summary: { slowest: number };
    latencyPercentiles: Record<string, number>;
    statusCodeDistribution: Record<string, number>;
  };
  const sent = Object.values(statusCodeDistribution ?? {}).reduce((sum, count) => sum + count, 0);
  return only({ p99Ms: (latencyPercentiles['p99'] ?? Number.NaN) * 1_000, maxMs: summary.slowest * 1_000, sent });
}

/** Leaves out what is undefined or not a number. */
function only(told: { readonly [K in keyof Told]?: number | undefined }): Told {
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined && !Number.isNaN(value)));
}

import { describe, expect, it } from 'vitest';
import { faultMarks, HEALED_MS, INJECTED_MS, synthetic } from '../timeline/synthetic.fixture.ts';
import type { Gauge } from '../timeline/types.ts';
import { connections, judgeObjective } from './index.ts';

const marks = faultMarks(INJECTED_MS, HEALED_MS);

/** Two proxies, read every half second and 20 ms apart, and a client that nobody asks for. */
function timelineOf(sockets: (at: number, node: string) => number, keep: (gauge: Gauge) => boolean = () => true) {
  const gauges: Gauge[] = [];
  for (let at = 0; at < 20_000; at += 500) {
    for (const [index, node] of ['proxy-1', 'proxy-2', 'client'].entries()) {
      gauges.push({ at: at + index * 20, node, name: 'sockets.total', value: node === 'client' ? 9_999 : sockets(at, node) });
      gauges.push({ at: at + index * 20, node, name: 'sockets.CLOSE_WAIT', value: 5_000 });
    }
  }
  return synthetic({ marks, ratePerSecond: 40, gauges: gauges.filter(keep) });
}

describe('connections', () => {
  const symptom = connections({ at: 'proxy-*', growBy: '3x' });

  it('show when the peak of the sum of all nodes is so many times its median before', () => {
    const verdict = judgeObjective(
      symptom,
      timelineOf((at, node) => (at === 10_000 ? (node === 'proxy-1' ? 150 : 50) : 25)),
    );
    expect(verdict).toMatchObject({ status: 'met', measured: '4x', limit: 'sockets at proxy-* grow at least 3x while the fault lasts' });
    expect(verdict.figures).toEqual({ factor: 4, limitFactor: 3, peakSockets: 200, baselineSockets: 50, samples: 12 });
  });

  it('do not show when they grow less, or only after the fault', () => {
    expect(
      judgeObjective(
        symptom,
        timelineOf((at) => (at === 10_000 ? 74 : 25)),
      ),
    ).toMatchObject({ status: 'missed', measured: '3x' });
    expect(
      judgeObjective(
        symptom,
        timelineOf((at) => (at >= 14_000 ? 500 : 25)),
      ),
    ).toMatchObject({ status: 'missed', measured: '1x' });
  });

  it('are not deceived by one peak before the fault', () => {
    expect(
      judgeObjective(
        symptom,
        timelineOf((at) => (at === 3_000 || at === 10_000 ? 100 : 25)),
      ),
    ).toMatchObject({ status: 'met' });
  });

  it('have no sum before each node was read once', () => {
    const late = timelineOf(
      () => 25,
      (gauge) => gauge.node !== 'proxy-2' || gauge.at >= 5_500,
    );
    expect(judgeObjective(symptom, late).figures).toMatchObject({ baselineSockets: 50, factor: 1 });
  });

  it('count nodes that were read at the same moment together', () => {
    const moving = (at: number, node: string) => (((at / 500) % 2 === 0) === (node === 'proxy-1') ? 50 : 0);
    const timeline = timelineOf(moving);
    const gauges = timeline.gauges.map((gauge) => ({ ...gauge, at: Math.floor(gauge.at / 500) * 500 }));
    expect(judgeObjective(symptom, { ...timeline, gauges }).figures).toMatchObject({ baselineSockets: 50, peakSockets: 50 });
  });

  it('are unknown when a node was read fewer than five times before or during', () => {
    const scarce = (node: string, from: number) =>
      timelineOf(
        () => 25,
        (gauge) => gauge.node !== node || gauge.at < from,
      );
    expect(judgeObjective(symptom, scarce('proxy-2', 10_000))).toMatchObject({
      status: 'unknown',
      because: 'sockets at proxy-2 were counted 4 times while the fault lasted; it takes 5',
    });
    expect(judgeObjective(symptom, scarce('proxy-1', 2_000))).toMatchObject({ status: 'unknown' });
    expect(judgeObjective(symptom, { ...scarce('client', 0), marks: [] })).toMatchObject({
      status: 'unknown',
      because: expect.stringContaining('while the fault lasted'),
    });
  });

  it('are unknown where nobody counted, and where there were none before', () => {
    expect(
      judgeObjective(
        connections({ at: 'edge', growBy: '2x' }),
        timelineOf(() => 25),
      ),
    ).toMatchObject({ status: 'unknown', because: "sockets were never counted at 'edge'" });
    expect(
      judgeObjective(
        symptom,
        timelineOf((at) => (at < 8_000 ? 0 : 25)),
      ),
    ).toMatchObject({ status: 'unknown' });
  });
});

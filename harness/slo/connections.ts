/**
 * connections: sockets pile up at some nodes while a fault lasts. The peak of their sum (of whatever state) over its
 * median before the fault.
 */
import { matches } from '../core/names.ts';
import { type Factor, factor, formatFactor } from '../core/units.ts';
import { faultTimes, phaseSpans, type Span } from '../timeline/phases.ts';
import type { Gauge, Timeline } from '../timeline/types.ts';
import { finite, unknownVerdict } from './evidence.ts';
import { factorField, fieldsOf, nodeField } from './fields.ts';
import type { Verdict } from './types.ts';

export interface ConnectionsTerms {
  /** A node, or a pattern over nodes: 'proxy-*'. */
  readonly at: string;
  readonly growBy: Factor;
}

export interface Connections extends ConnectionsTerms {
  readonly kind: 'connections';
}

/** `connections({ at: 'proxy-*', growBy: '3x' })`: sockets of all proxies together grow at least threefold. */
export const connections = (terms: ConnectionsTerms): Connections => ({ kind: 'connections', ...terms });

export const connectionsSchema = fieldsOf('connections', { at: nodeField, growBy: factorField });

const GAUGE = 'sockets.total';
/** Readings of each node in each phase: fewer have no middle to speak of. */
const LEAST_READINGS = 5;

/** Figures: factor, limitFactor, peakSockets, baselineSockets, samples (readings in the phase and node that has fewest). */
export function judgeConnections(objective: Connections, timeline: Timeline): Verdict {
  const { at } = objective;
  const limitFactor = factor(objective.growBy, 'growBy');
  const limit = `sockets at ${at} grow at least ${formatFactor(limitFactor)} while the fault lasts`;
  const gauges = timeline.gauges.filter((gauge) => gauge.name === GAUGE && matches(at, gauge.node));
  if (gauges.length === 0) return unknownVerdict(limit, `sockets were never counted at '${at}'`);

  const before = phaseSpans(timeline, 'before');
  const { injectedMs, healedMs = timeline.durationMs } = faultTimes(timeline);
  const lasting = injectedMs === undefined ? [] : [{ fromMs: injectedMs, toMs: healedMs }];
  for (const [spans, phase] of [
    [before, 'before the fault'],
    [lasting, 'while the fault lasted'],
  ] as const) {
    const scarce = scarcest(gauges, spans);
    if (scarce.readings < LEAST_READINGS) {
      return unknownVerdict(limit, `sockets at ${scarce.node} were counted ${scarce.readings} times ${phase}; it takes ${LEAST_READINGS}`, {
        samples: scarce.readings,
      });
    }
  }
  const sums = sumsOverNodes(gauges);
  const baselineSockets = median(sums.filter((sum) => isWithin(before, sum.at)).map((sum) => sum.value));
  const peakSockets = Math.max(...sums.filter((sum) => isWithin(lasting, sum.at)).map((sum) => sum.value));
  if (!baselineSockets || !Number.isFinite(peakSockets))
    return unknownVerdict(limit, `${at} had no sockets before the fault, so nothing can be said to have grown`);
  const grown = peakSockets / baselineSockets;
  return {
    status: grown >= limitFactor ? 'met' : 'missed',
    limit,
    measured: formatFactor(grown),
    figures: finite({
      factor: grown,
      limitFactor,
      peakSockets,
      baselineSockets,
      samples: Math.min(scarcest(gauges, before).readings, scarcest(gauges, lasting).readings),
    }),
  };
}

const isWithin = (spans: readonly Span[], at: number) => spans.some((span) => at >= span.fromMs && at < span.toMs);

/** The node that was read least often in a phase. */
function scarcest(gauges: readonly Gauge[], spans: readonly Span[]): { node: string; readings: number } {
  const counts = new Map(gauges.map((gauge) => [gauge.node, 0]));
  for (const { node, at } of gauges) if (isWithin(spans, at)) counts.set(node, (counts.get(node) ?? 0) + 1);
  const [node, readings] = [...counts].reduce((least, next) => (next[1] < least[1] ? next : least));
  return { node, readings };
}

/**
 * The sum over all nodes at each moment at which any was read, with the latest reading of each: nodes are read one after the
 * other. Before each has been read once there is no sum.
 */
function sumsOverNodes(gauges: readonly Gauge[]): { at: number; value: number }[] {
  const nodes = new Set(gauges.map((gauge) => gauge.node)).size;
  const latest = new Map<string, number>();
  const sums: { at: number; value: number }[] = [];
  for (const gauge of gauges.toSorted((a, b) => a.at - b.at)) {
    latest.set(gauge.node, gauge.value);
    if (latest.size < nodes) continue;
    const sum = { at: gauge.at, value: [...latest.values()].reduce((total, value) => total + value, 0) };
    if (sums.at(-1)?.at === gauge.at) sums.pop();
    sums.push(sum);
  }
  return sums;
}

function median(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

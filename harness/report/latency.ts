/** The pictures of latency: p50, p99 and maximum on an axis of powers of ten, the failed counted until they were given up. */
import { formatMs } from '../core/units.ts';
import type { Among } from '../timeline/phases.ts';
import { gather, phaseSpans, shardsAmong, timeToKnowMs, windowsWithin } from '../timeline/phases.ts';
import { SEVERAL } from '../timeline/types.ts';
import type { Bucket } from './buckets.ts';
import { buckets } from './buckets.ts';
import type { Limit } from './chart.ts';
import type { Figure } from './figure.ts';
import type { Scale } from './scale.ts';
import { logarithmic } from './scale.ts';
import type { Scene } from './scene.ts';
import { across, frame, NOTHING_DUE, tips, told } from './scene.ts';
import { counted, moment } from './words.ts';

/** Whose latency a picture shows: in words, and by shard. */
interface Whose {
  readonly among: Among | 'several shards or none';
  readonly of: (shard: string) => boolean;
}

/** Latency of all requests, or of the healthy and the affected shards apart when a fault stood before some of them; what belongs to neither stands by itself. */
export function latencyFigures(scene: Scene): Figure[] {
  const { timeline } = scene;
  const shards = [...new Set(timeline.windows.map((window) => window.series.shard))];
  const whose = (among: Among): Whose => ({ among, of: shardsAmong(timeline, among) });
  const [healthy, affected] = [whose('healthy shards'), whose('affected shards')];
  const y = latencyScale([buckets(timeline, scene.fineMs)]);
  if (!shards.some(healthy.of) || !shards.some(affected.of)) return [latencyFigure(scene, whose('all requests'), 'Latency', y)];
  const others: Whose = { among: 'several shards or none', of: (shard) => shard === SEVERAL };
  return [
    latencyFigure(scene, healthy, `Latency of the healthy shards: ${listed(shards.filter(healthy.of))}`, y),
    latencyFigure(scene, affected, `Latency of the affected shards: ${listed(shards.filter(affected.of))}`, y),
    ...(shards.some(others.of) ? [latencyFigure(scene, others, 'Latency of what is for several shards or none', y)] : []),
  ];
}

/** One axis for several pictures, so that they compare: from the lowest median to the highest maximum. */
export function latencyScale(runs: readonly (readonly Bucket[])[]): Scale {
  const all = runs.flat().filter((bucket) => bucket.due > 0 && bucket.maxMs > 0);
  return logarithmic(Math.max(0.01, Math.min(...all.map((bucket) => bucket.p50Ms), 1)), Math.max(...all.map((bucket) => bucket.maxMs), 10), formatMs);
}

function latencyFigure(scene: Scene, { among, of }: Whose, heading: string, y: Scale): Figure {
  const { timeline } = scene;
  const fine = buckets(timeline, scene.fineMs, of);
  const coarse = buckets(timeline, scene.coarseMs, of);
  if (fine.every((bucket) => bucket.due === 0)) return { heading, summary: 'No request was due here.', picture: NOTHING_DUE };
  const slowest = coarse.reduce((worst, bucket) => (bucket.maxMs > worst.maxMs || Number.isNaN(worst.maxMs) ? bucket : worst));
  const p99s = told(timeline, (phase) => {
    const ms = timeToKnowMs(gather(windowsWithin(timeline, phaseSpans(timeline, phase), of)), 99);
    return ms === undefined ? undefined : formatMs(ms);
  });
  return {
    heading,
    summary: `p99 was ${p99s}; the slowest request took ${formatMs(slowest.maxMs)} and was due between ${moment(slowest.fromMs)} and ${moment(slowest.untilMs)}.`,
    picture: {
      ...frame(scene),
      height: 190,
      slots: fine,
      y,
      limits: latencyLimits(scene, among),
      lines: [
        { name: 'max', look: 2, values: fine.map((bucket) => bucket.maxMs) },
        { name: 'p99', look: 0, values: fine.map((bucket) => bucket.p99Ms) },
        { name: 'p50', look: 1, values: fine.map((bucket) => bucket.p50Ms) },
      ],
      tips: tips(
        coarse,
        (bucket) => `p50 ${formatMs(bucket.p50Ms)}, p99 ${formatMs(bucket.p99Ms)}, max ${formatMs(bucket.maxMs)}, ${counted(bucket.due)} requests`,
      ),
    },
    numbers: {
      caption: `Latency of ${among}, from when a request was due until it was answered or given up`,
      head: ['from', 'requests', 'p50', 'p99', 'max'],
      rows: coarse.map((bucket) => [
        moment(bucket.fromMs),
        counted(bucket.due),
        ...[bucket.p50Ms, bucket.p99Ms, bucket.maxMs].map((ms) => (Number.isNaN(ms) ? 'none' : formatMs(ms))),
      ]),
    },
  };
}

/** 'mc-1, mc-2, mc-4'; of many, the first and how many more. */
function listed(names: readonly string[]): string {
  const sorted = names.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return sorted.length <= 6 ? sorted.join(', ') : `${sorted.slice(0, 4).join(', ')} and ${sorted.length - 4} more`;
}

/** What was promised of a p99 (of these requests), over the phase for which it holds. */
function latencyLimits({ results, timeline }: Scene, among: Whose['among']): Limit[] {
  return results.flatMap(({ name, objective, verdict }) => {
    const { limitMs } = verdict.figures;
    if (limitMs === undefined) return [];
    const limit = { value: limitMs, label: `${name}: p99 under ${formatMs(limitMs)}` };
    if (objective.kind === 'isolation') return among === 'healthy shards' ? across(timeline, 'during', objective.grace, limit) : [];
    if (objective.kind !== 'percentile' || objective.percent !== 99 || (objective.among ?? 'all requests') !== among) return [];
    return across(timeline, objective.when, objective.grace, limit);
  });
}

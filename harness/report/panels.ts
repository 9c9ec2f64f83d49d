/**
 * The pictures of a run: latency, goodput, requests a second, failures by kind. Each is a figure over the same time axis, with a
 * sentence and a table computed from the same buckets. What is told of phases is told by the rules that verdicts use.
 */
import { formatMs, formatShare, milliseconds } from '../core/units.ts';
import type { Duration } from '../core/units.ts';
import type { Report } from '../run/types.ts';
import { phaseSpans, requestsOf, shardsAmong, timeToKnowMs } from '../timeline/phases.ts';
import type { Among, Phase } from '../timeline/phases.ts';
import { WINDOW_MS } from '../timeline/types.ts';
import type { Timeline } from '../timeline/types.ts';
import { bandsOf, buckets, bucketWidthMs, errorsOf, momentsOf } from './buckets.ts';
import type { Band, Bucket, Moment } from './buckets.ts';
import type { Limit } from './chart.ts';
import type { Figure } from './figure.ts';
import { linear, logarithmic } from './scale.ts';
import type { Scale } from './scale.ts';
import { counted, moment } from './words.ts';

/** What all pictures of one run share. */
export interface Scene {
  readonly timeline: Timeline;
  readonly bands: readonly Band[];
  readonly moments: readonly Moment[];
  readonly results: Report['results'];
  /** Spans of the curves, and of the tables and tips. */
  readonly fineMs: number;
  readonly coarseMs: number;
}

export function sceneOf(timeline: Timeline, report: Pick<Report, 'results'>, steps: readonly { readonly title: string }[]): Scene {
  return {
    timeline,
    bands: bandsOf(timeline.marks, steps, timeline.durationMs),
    moments: momentsOf(report.results),
    results: report.results,
    fineMs: bucketWidthMs(timeline.durationMs),
    coarseMs: bucketWidthMs(timeline.durationMs, 120, 1_000),
  };
}

const NOTHING_DUE = 'Nothing to draw: the load offered no request.';

/** The parts of a picture that every run fills in the same way. */
export function frame(scene: Scene) {
  return { durationMs: scene.timeline.durationMs, bands: scene.bands, moments: scene.moments };
}

/** What was promised of a p99 (of these requests), over the phase for which it holds. */
function latencyLimits({ results, timeline }: Scene, among: Among): Limit[] {
  return results.flatMap(({ name, objective, verdict }) => {
    const { limitMs } = verdict.figures;
    if (limitMs === undefined) return [];
    const limit = { value: limitMs, label: `${name}: p99 under ${formatMs(limitMs)}` };
    if (objective.kind === 'isolation') return among === 'healthy shards' ? across(timeline, 'during', objective.grace, limit) : [];
    if (objective.kind !== 'percentile' || objective.percent !== 99 || (objective.among ?? 'all requests') !== among) return [];
    return across(timeline, objective.when, objective.grace, limit);
  });
}

function goodputLimits({ results, timeline }: Scene): Limit[] {
  return results.flatMap(({ name, objective, verdict }) => {
    const { limitShare } = verdict.figures;
    if (objective.kind !== 'goodput' || limitShare === undefined) return [];
    return across(timeline, objective.when, objective.grace, { value: limitShare, label: `${name}: at least ${formatShare(limitShare)}` });
  });
}

/** A limit for each span of its phase; only the first is named. */
function across(timeline: Timeline, phase: Phase, grace: Duration | undefined, limit: { value: number; label: string }): Limit[] {
  const spans = phaseSpans(timeline, phase, milliseconds(grace ?? '0ms'));
  return spans.map(({ fromMs, toMs }, i) => ({ fromMs, untilMs: toMs, value: limit.value, label: i === 0 ? limit.label : '' }));
}

/** Latency of all requests, or of the healthy and the affected shards apart when a fault stood before some of them. */
export function latencyFigures(scene: Scene): Figure[] {
  const { timeline } = scene;
  const shards = new Set(timeline.windows.map((window) => window.series.shard));
  const healthy = [...shards].filter(shardsAmong(timeline, 'healthy shards'));
  const split = healthy.length > 0 && healthy.length < shards.size;
  const y = latencyScale([buckets(timeline, scene.fineMs)]);
  if (!split) return [latencyFigure(scene, 'all requests', 'Latency', y)];
  const affected = [...shards].filter((shard) => !healthy.includes(shard));
  return [
    latencyFigure(scene, 'healthy shards', `Latency of the healthy shards: ${listed(healthy)}`, y),
    latencyFigure(scene, 'affected shards', `Latency of the affected shards: ${listed(affected)}`, y),
  ];
}

/** One axis for several pictures, so that they compare: from the lowest median to the highest maximum. */
export function latencyScale(runs: readonly (readonly Bucket[])[]): Scale {
  const all = runs.flat().filter((bucket) => bucket.due > 0 && bucket.maxMs > 0);
  return logarithmic(Math.max(0.01, Math.min(...all.map((bucket) => bucket.p50Ms), 1)), Math.max(...all.map((bucket) => bucket.maxMs), 10), formatMs);
}

function latencyFigure(scene: Scene, among: Among, heading: string, y: Scale): Figure {
  const { timeline } = scene;
  const of = shardsAmong(timeline, among);
  const fine = buckets(timeline, scene.fineMs, of);
  const coarse = buckets(timeline, scene.coarseMs, of);
  if (fine.every((bucket) => bucket.due === 0)) return { heading, summary: 'No request was due here.', picture: NOTHING_DUE };
  const slowest = coarse.reduce((worst, bucket) => (bucket.maxMs > worst.maxMs || Number.isNaN(worst.maxMs) ? bucket : worst));
  const p99s = told(timeline, (phase) => {
    const ms = timeToKnowMs(requestsOf(timeline, phase, among), 99);
    return ms === undefined ? undefined : formatMs(ms);
  });
  return {
    heading,
    summary: `p99 was ${p99s}; the slowest request took ${formatMs(slowest.maxMs)} and was due in the second from ${moment(slowest.fromMs)}.`.replace('second from', scene.coarseMs === 1_000 ? 'second from' : 'span from'),
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
      tips: tips(coarse, (bucket) => `p50 ${formatMs(bucket.p50Ms)}, p99 ${formatMs(bucket.p99Ms)}, max ${formatMs(bucket.maxMs)}, ${counted(bucket.due)} requests`),
    },
    numbers: {
      caption: `Latency of ${among}, from when a request was due until it was answered or given up`,
      head: ['from', 'requests', 'p50', 'p99', 'max'],
      rows: coarse.map((bucket) => [moment(bucket.fromMs), counted(bucket.due), ...[bucket.p50Ms, bucket.p99Ms, bucket.maxMs].map((ms) => (Number.isNaN(ms) ? 'none' : formatMs(ms)))]),
    },
  };
}

export const goodShare = (bucket: Bucket) => (bucket.due > 0 ? bucket.good / bucket.due : Number.NaN);

export function goodputFigure(scene: Scene): Figure {
  const { timeline } = scene;
  const heading = 'Goodput';
  const [fine, coarse] = [buckets(timeline, scene.fineMs), buckets(timeline, scene.coarseMs)];
  if (fine.every((bucket) => bucket.due === 0)) return { heading, summary: 'No request was due.', picture: NOTHING_DUE };
  const shares = told(timeline, (phase) => {
    const { due, good } = requestsOf(timeline, phase);
    return due > 0 ? formatShare(good / due) : undefined;
  });
  const worst = coarse.filter((bucket) => bucket.due > 0).reduce((low, bucket) => (goodShare(bucket) < goodShare(low) ? bucket : low));
  const low = goodShare(worst) < 1 ? `; at its lowest ${formatShare(goodShare(worst))}, from ${moment(worst.fromMs)}` : '';
  return {
    heading,
    summary: `Answered correctly and in time, of all that was due: ${shares}${low}.`,
    picture: {
      ...frame(scene),
      height: 130,
      slots: fine,
      y: linear(1, formatShare, 5),
      limits: goodputLimits(scene),
      lines: [{ name: 'goodput', look: 0, values: fine.map(goodShare), filled: true }],
      tips: tips(coarse, (bucket) => `goodput ${formatShare(goodShare(bucket))}: ${counted(bucket.good)} of ${counted(bucket.due)}`),
    },
    numbers: {
      caption: 'Goodput: answered correctly within the deadline, counted from when requests were due',
      head: ['from', 'due', 'in time', 'goodput'],
      rows: coarse.map((bucket) => [moment(bucket.fromMs), counted(bucket.due), counted(bucket.good), bucket.due > 0 ? formatShare(goodShare(bucket)) : 'none']),
    },
  };
}

export function rateFigure(scene: Scene): Figure {
  const { timeline } = scene;
  const heading = 'Requests a second';
  const [fine, coarse] = [buckets(timeline, scene.fineMs), buckets(timeline, scene.coarseMs)];
  const due = sum(fine, (bucket) => bucket.due);
  if (due === 0) return { heading, summary: 'No request was due.', picture: NOTHING_DUE };
  const rate = (bucket: Bucket, count: number) => (count * 1_000) / (bucket.untilMs - bucket.fromMs);
  const rates = (of: (bucket: Bucket) => number) => fine.map((bucket) => rate(bucket, of(bucket)));
  const highest = Math.max(...rates((bucket) => bucket.due));
  return {
    heading,
    summary: `Offered ${counted(due)} requests, ${counted((due * 1_000) / timeline.durationMs)} a second: ${counted(sum(fine, (bucket) => bucket.answered))} were answered, ${counted(sum(fine, (bucket) => bucket.failed))} failed. Each counts when it was due.`,
    picture: {
      ...frame(scene),
      height: 130,
      slots: fine,
      y: linear(highest, counted),
      lines: [
        { name: 'offered', look: 6, values: rates((bucket) => bucket.due) },
        { name: 'answered', look: 0, values: rates((bucket) => bucket.answered) },
        { name: 'failed', look: 3, values: rates((bucket) => bucket.failed) },
      ],
      tips: tips(coarse, (bucket) => `${counted(rate(bucket, bucket.due))}/s offered, ${counted(rate(bucket, bucket.answered))}/s answered, ${counted(rate(bucket, bucket.failed))}/s failed`),
    },
    numbers: {
      caption: 'Requests by when they were due',
      head: ['from', 'offered', 'answered', 'of them in time', 'failed'],
      rows: coarse.map((bucket) => [moment(bucket.fromMs), counted(bucket.due), counted(bucket.answered), counted(bucket.good), counted(bucket.failed)]),
    },
  };
}

export function errorFigure(scene: Scene): Figure {
  const { timeline } = scene;
  const heading = 'Failures by kind';
  const [fine, coarse] = [buckets(timeline, scene.fineMs), buckets(timeline, scene.coarseMs)];
  const totals = Object.entries(errorsOf(timeline.windows));
  if (totals.length === 0) return { heading, summary: 'No request failed.', picture: 'Nothing to draw: no request failed.' };
  const kinds = totals.map(([kind]) => kind as keyof Bucket['errors']);
  const rate = (bucket: Bucket, kind: keyof Bucket['errors']) => ((bucket.errors[kind] ?? 0) * 1_000) / (bucket.untilMs - bucket.fromMs);
  const highest = Math.max(...fine.map((bucket) => sum(kinds, (kind) => rate(bucket, kind))));
  return {
    heading,
    summary: `${counted(sum(totals, ([, count]) => count))} requests failed: ${totals.map(([kind, count]) => `${counted(count)} ${kind}`).join(', ')}. Each counts a second, stacked, when it was due.`,
    picture: {
      ...frame(scene),
      height: 110,
      slots: fine,
      y: linear(highest, counted),
      lines: [],
      layers: kinds.map((kind, look) => ({ name: kind, look, values: fine.map((bucket) => rate(bucket, kind)) })),
      tips: tips(coarse, (bucket) => kinds.map((kind) => `${counted(bucket.errors[kind] ?? 0)} ${kind}`).join(', ')),
    },
    numbers: {
      caption: 'Failed requests by kind, by when they were due',
      head: ['from', ...kinds],
      rows: coarse.map((bucket) => [moment(bucket.fromMs), ...kinds.map((kind) => counted(bucket.errors[kind] ?? 0))]),
    },
  };
}

/** '4.1 ms before the fault, 1.02 s during it and 4.2 ms after it'; phases that the run does not have are left out. */
function told(timeline: Timeline, figureOf: (phase: Phase) => string | undefined): string {
  if (timeline.marks.length === 0) return figureOf('before') ?? 'none';
  const parts = (['before', 'during', 'after'] as const).flatMap((phase) => {
    const told = phaseSpans(timeline, phase).some((span) => span.toMs - span.fromMs >= WINDOW_MS) ? figureOf(phase) : undefined;
    return told === undefined ? [] : [`${told} ${phase} ${phase === 'before' ? 'the fault' : 'it'}`];
  });
  return parts.length > 1 ? `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}` : (parts[0] ?? 'none').replace(/ it$/, ' the fault');
}

export function tips<B extends { fromMs: number; untilMs: number; due: number }>(coarse: readonly B[], text: (bucket: B) => string) {
  return coarse.map((bucket) => ({
    fromMs: bucket.fromMs,
    untilMs: bucket.untilMs,
    text: `${moment(bucket.fromMs)} to ${moment(bucket.untilMs)}: ${bucket.due > 0 ? text(bucket) : 'nothing was due'}`,
  }));
}

/** 'mc-1, mc-2, mc-4'; of many, the first and how many more. */
function listed(names: readonly string[]): string {
  const sorted = names.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return sorted.length <= 6 ? sorted.join(', ') : `${sorted.slice(0, 4).join(', ')} and ${sorted.length - 4} more`;
}

export function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

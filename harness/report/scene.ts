/** What the pictures of a run share: its spans, faults, moments and limits, and how their sentences and tips are worded. */
import type { Duration } from '../core/units.ts';
import { milliseconds } from '../core/units.ts';
import type { Report } from '../run/types.ts';
import type { Phase } from '../timeline/phases.ts';
import { phaseSpans } from '../timeline/phases.ts';
import { isStarved } from '../timeline/starved.ts';
import type { Timeline } from '../timeline/types.ts';
import { WINDOW_MS } from '../timeline/types.ts';
import type { Band, Moment } from './buckets.ts';
import { bandsOf, bucketWidthMs, momentsOf } from './buckets.ts';
import type { Chart, Limit, Slot } from './chart.ts';
import { moment } from './words.ts';

/** What all pictures of one run share. */
export interface Scene {
  readonly timeline: Timeline;
  readonly bands: readonly Band[];
  readonly moments: readonly Moment[];
  readonly results: Report['results'];
  /** In which a generator could not keep its schedule: ascending, apart from each other. */
  readonly starved: readonly Slot[];
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
    starved: starvedSpans(timeline),
    fineMs: bucketWidthMs(timeline.durationMs),
    coarseMs: bucketWidthMs(timeline.durationMs, 120, 1_000),
  };
}

function starvedSpans({ generator, durationMs }: Timeline): Slot[] {
  const starts = [...new Set(generator.filter(isStarved).map(({ at }) => at))].sort((a, b) => a - b);
  const spans: { fromMs: number; untilMs: number }[] = [];
  for (const at of starts.filter((start) => start < durationMs)) {
    const last = spans.at(-1);
    const untilMs = Math.min(at + WINDOW_MS, durationMs);
    if (last?.untilMs === at) last.untilMs = untilMs;
    else spans.push({ fromMs: at, untilMs });
  }
  return spans;
}

export const NOTHING_DUE = 'Nothing to draw: the load offered no request.';

/** The parts of a picture that every run fills in the same way. */
export function frame(scene: Scene): Pick<Chart, 'durationMs' | 'bands' | 'moments' | 'starved'> {
  return { durationMs: scene.timeline.durationMs, bands: scene.bands, moments: scene.moments, ...(scene.starved.length > 0 && { starved: scene.starved }) };
}

/** A limit for each span of its phase; only the first is named. */
export function across(timeline: Timeline, phase: Phase, grace: Duration | undefined, limit: { value: number; label: string }): Limit[] {
  const spans = phaseSpans(timeline, phase, milliseconds(grace ?? '0ms'));
  return spans.map(({ fromMs, toMs }, i) => ({ fromMs, untilMs: toMs, value: limit.value, label: i === 0 ? limit.label : '' }));
}

/** '4.1 ms before the fault, 1.02 s during it and 4.2 ms after it'; phases that the run does not have are left out. */
export function told(timeline: Timeline, figureOf: (phase: Phase) => string | undefined): string {
  if (timeline.marks.length === 0) return figureOf('before') ?? 'none';
  const parts = (['before', 'during', 'after'] as const).flatMap((phase) => {
    const told = phaseSpans(timeline, phase).some((span) => span.toMs - span.fromMs >= WINDOW_MS) ? figureOf(phase) : undefined;
    return told === undefined ? [] : [`${told} ${phase} ${phase === 'before' ? 'the fault' : 'it'}`];
  });
  return parts.length > 1 ? `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}` : (parts[0] ?? 'none').replace(/ it$/, ' the fault');
}

/** What the pointer shows over each span. */
export function tips<B extends { fromMs: number; untilMs: number; due: number }>(coarse: readonly B[], text: (bucket: B) => string): Chart['tips'] & object {
  return coarse.map((bucket) => ({
    fromMs: bucket.fromMs,
    untilMs: bucket.untilMs,
    text: `${moment(bucket.fromMs)} to ${moment(bucket.untilMs)}: ${bucket.due > 0 ? text(bucket) : 'nothing was due'}`,
  }));
}

export function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

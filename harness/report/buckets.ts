/**
 * A timeline folded into what a picture needs: even buckets of requests, the spans of the faults, the moments worth a line.
 */
import type { PlannedStep, Report } from '../run/types.ts';
import { Histogram } from '../timeline/histogram.ts';
import { gather } from '../timeline/phases.ts';
import type { ErrorKind, Mark, Timeline, Window } from '../timeline/types.ts';
import { ERROR_KINDS, WINDOW_MS } from '../timeline/types.ts';

/** Requests that were due in one span of time. Latencies count the failed too, from due to given up. */
export interface Bucket {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly due: number;
  readonly answered: number;
  readonly good: number;
  readonly failed: number;
  readonly errors: Readonly<Partial<Record<ErrorKind, number>>>;
  /** NaN where nothing was due. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Whole multiples of a window; the steps of a ruler above a second. */
const WIDTHS_MS = [200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000];

/** The narrowest width that cuts the run into at most `atMost` buckets. 180 points lie 5 pixels apart on a page of 900. */
export function bucketWidthMs(durationMs: number, atMost = 180, narrowestMs = WIDTHS_MS[0] as number): number {
  return WIDTHS_MS.find((width) => width >= narrowestMs && durationMs / width <= atMost) ?? Math.ceil(durationMs / atMost / WINDOW_MS) * WINDOW_MS;
}

/** The run in buckets of one width, without gaps from 0 to its end, of the shards that `of` takes. */
export function buckets(timeline: Timeline, widthMs: number, of: (shard: string) => boolean = () => true): Bucket[] {
  const count = Math.max(0, Math.ceil(timeline.durationMs / widthMs));
  const slots = Array.from({ length: count }, (): Window[] => []);
  for (const window of timeline.windows) {
    if (of(window.series.shard)) slots[Math.floor(window.at / widthMs)]?.push(window);
  }
  return slots.map((windows, i) => summed(windows, i * widthMs, Math.min((i + 1) * widthMs, timeline.durationMs)));
}

function summed(windows: readonly Window[], fromMs: number, untilMs: number): Bucket {
  const requests = gather(windows);
  const all = new Histogram();
  all.merge(requests.latency);
  all.merge(requests.gaveUp);
  const ms = (percent: number) => all.percentile(percent) / 1_000;
  const { due, answered, good, failed } = requests;
  return { fromMs, untilMs, due, answered, good, failed, errors: errorsOf(windows), p50Ms: ms(50), p99Ms: ms(99), maxMs: ms(100) };
}

/** Failures by kind, in the order of ERROR_KINDS; kinds that did not happen are left out. */
export function errorsOf(windows: Iterable<Pick<Window, 'failed'>>): Partial<Record<ErrorKind, number>> {
  const errors: Partial<Record<ErrorKind, number>> = {};
  for (const window of windows) {
    for (const kind of ERROR_KINDS) if (window.failed[kind]) errors[kind] = (errors[kind] ?? 0) + window.failed[kind];
  }
  return Object.fromEntries(ERROR_KINDS.flatMap((kind) => (errors[kind] ? [[kind, errors[kind]]] : [])));
}

/** One fault as a span of the picture. The edges injecting..injected and healing..healed belong to neither side. */
export interface Band {
  readonly step: number;
  readonly title: string;
  readonly injectingMs: number;
  /** Absent when the fault never took effect. */
  readonly injectedMs?: number;
  /** Absent when the run ended first. */
  readonly healingMs?: number;
  readonly healedMs?: number;
  /** Where it leaves the picture: healed, or the end of the run. */
  readonly endMs: number;
}

/** A span for each step that was begun. A fault on several targets is in force from its last injection to its first healing. */
export function bandsOf(marks: readonly Mark[], steps: readonly Pick<PlannedStep, 'title'>[], durationMs: number): Band[] {
  const begun = [...new Set(marks.map((mark) => mark.step))].sort((a, b) => a - b);
  return begun.map((step) => {
    const at = (event: Mark['event']) => marks.filter((mark) => mark.step === step && mark.event === event).map((mark) => mark.at);
    const first = (times: readonly number[]) => (times.length > 0 ? Math.min(...times) : undefined);
    const last = (times: readonly number[]) => (times.length > 0 ? Math.max(...times) : undefined);
    const [injectedMs, healingMs, healedMs] = [last(at('injected')), first(at('healing')), last(at('healed'))];
    return {
      step,
      title: steps[step]?.title ?? marks.find((mark) => mark.step === step)?.fault ?? `step ${step + 1}`,
      injectingMs: first(at('injecting')) ?? injectedMs ?? 0,
      ...(injectedMs === undefined ? {} : { injectedMs }),
      ...(healingMs === undefined ? {} : { healingMs }),
      ...(healedMs === undefined ? {} : { healedMs }),
      endMs: healedMs ?? Math.max(durationMs, healingMs ?? 0),
    };
  });
}

export interface Moment {
  readonly atMs: number;
  readonly label: string;
}

/** The moments that verdicts name, in order of time, each once; with the objective's name where two mean different moments by one label. */
export function momentsOf(results: Report['results']): Moment[] {
  const all = results.flatMap(({ name, verdict }) => (verdict.moments ?? []).map(({ at, label }) => ({ atMs: at, label, name })));
  const ambiguous = (label: string) => new Set(all.filter((moment) => moment.label === label).map((moment) => moment.atMs)).size > 1;
  const named = all.map(({ atMs, label, name }) => ({ atMs, label: ambiguous(label) ? `${name}: ${label}` : label }));
  const seen = new Set<string>();
  return named
    .filter(({ atMs, label }) => Number.isFinite(atMs) && !seen.has(`${atMs} ${label}`) && seen.add(`${atMs} ${label}`))
    .sort((a, b) => a.atMs - b.atMs);
}

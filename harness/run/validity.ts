/** Whether a run can be believed: what speaks against it, a sentence each, and how well its load generators kept time. */
import { formatMs, formatShare } from '../core/units.ts';
import { LEAST_DUE } from '../slo/evidence.ts';
import { PHASES, phaseInWords, phaseSpans } from '../timeline/phases.ts';
import { isFullyBusy, isStarved, LATE_MS, MOST_LATE_SHARE, stoodShare } from '../timeline/starved.ts';
import { type GeneratorWindow, type Mark, SEVERAL, type Timeline, WINDOW_MS } from '../timeline/types.ts';
import { partNames } from './parts.ts';
import { probableCause } from './starvation.ts';
import type { LoadSpec, Plan, Report } from './types.ts';

/**
 * A few long stalls can hide below 1% of late requests and still lie over the moment that matters. So no more than 5% of a load's windows may
 * have a p99 of lateness above 50 ms, half a window: beyond that, what was due in one window was really offered in the next.
 */
const STALLED_MS = 50;
const MOST_STALLED_SHARE = 0.05;

/** Every reason for which the run cannot be judged, apart from verdicts that are unknown. */
export function reasonsAgainst(plan: Plan, timeline: Timeline): string[] {
  const found = timeline.findings.filter((finding) => finding.severity === 'invalid').map((finding) => finding.text);
  return [...new Set([...found, ...unprovenFaults(plan, timeline, found), ...starvedLoads(plan, timeline), ...miscounted(timeline)])];
}

/** A step whose injection or healing has no mark, or whose proof does not hold. What a finding has told already is not told twice. */
function unprovenFaults(plan: Plan, timeline: Timeline, found: readonly string[]): string[] {
  return plan.steps.flatMap((step, index) => {
    if (found.some((text) => text.includes(step.title))) return [];
    const events = [
      { event: 'injected', verb: 'bite' },
      { event: 'changed', verb: 'bite after it was changed' },
      { event: 'reapplied', verb: 'bite again' },
      { event: 'healed', verb: 'end' },
    ] as const;
    return events.flatMap(({ event, verb }) => {
      const marks = timeline.marks.filter((mark) => mark.step === index && mark.event === event);
      if (marks.length === 0 && (event === 'injected' || event === 'healed')) return [`${step.title} was never ${event}`];
      return marks.filter((mark) => !mark.proof?.holds).map((mark) => `${step.title} was not seen to ${verb}: ${sawOf(mark)}`);
    });
  });
}

function sawOf({ proof }: Mark): string {
  return proof ? `asked ${proof.asked}, saw ${proof.measured}` : 'there is no proof of it';
}

function starvedLoads(plan: Plan, timeline: Timeline): string[] {
  const due = timeline.windows.reduce((sum, window) => sum + window.due, 0);
  if (due === 0) return ['no request was due in the whole run'];
  const reasons: string[] = [];
  const byLoad = Map.groupBy(timeline.generator, (window) => window.load);
  for (const name of plan.load.flatMap(partNames)) if (!byLoad.has(name)) reasons.push(`nothing is known of how load '${name}' kept its schedule`);
  for (const [name, windows] of byLoad) {
    reasons.push(...lateIn(name, '', windows, timeline));
    if (timeline.marks.length > 0) reasons.push(...latePhases(name, timeline, windows));
    reasons.push(...stoodIn(name, windows, plan, timeline), ...fullyBusy(name, windows, plan, timeline));
    // Windows without a request, such as those after the load's end, cannot be late.
    const busy = windows.filter((window) => window.due > 0);
    const stalled = busy.filter((window) => window.p99LatenessMs > STALLED_MS);
    if (stalled.length > busy.length * MOST_STALLED_SHARE) {
      reasons.push(
        `load '${name}' was starved: in ${formatShare(stalled.length / busy.length)} of its windows it was more than ${formatMs(STALLED_MS)} late (p99), and ${formatShare(MOST_STALLED_SHARE)} is allowed${probableCause(stalled, timeline)}`,
      );
    }
  }
  return reasons;
}

/** The reason, if the event loop stood for more of the time than requests may be late. To open some thousand connections takes some tenths of a second in which nothing else is done. */
function stoodIn(load: string, windows: readonly GeneratorWindow[], plan: Plan, timeline: Timeline): string[] {
  const most = opensConnections(plan, load) ? MOST_STALLED_SHARE : MOST_LATE_SHARE;
  const share = stoodShare(windows);
  if (share <= most) return [];
  const standing = windows.filter(({ maxLoopDelayMs }) => maxLoopDelayMs > LATE_MS);
  return [
    `load '${load}' was starved: its event loop stood for ${formatShare(share)} of the time beyond 10 ms, and ${formatShare(most)} is allowed${probableCause(standing, timeline)}`,
  ];
}

/** The reason, if it had no time left. A load that waits for its answers asks as fast as it can, and one that opens connections opens all that are due: those are busy by nature. */
function fullyBusy(load: string, windows: readonly GeneratorWindow[], plan: Plan, timeline: Timeline): string[] {
  if (specOf(plan, load)?.closedLoop || opensConnections(plan, load)) return [];
  const full = windows.filter(isFullyBusy);
  if (full.length <= windows.length * MOST_STALLED_SHARE) return [];
  return [
    `load '${load}' was starved: in ${formatShare(full.length / windows.length)} of its windows it had no time left, and ${formatShare(MOST_STALLED_SHARE)} is allowed: what it had not come to looked like waiting for the system${probableCause(full, timeline)}`,
  ];
}

/** The load that a process of this name has a part of. */
function specOf(plan: Plan, part: string): LoadSpec | undefined {
  return plan.load.find((spec) => partNames(spec).includes(part));
}

/** Its requests are connections, which belong to no shard. */
function opensConnections(plan: Plan, part: string): boolean {
  return specOf(plan, part)?.shards.includes(SEVERAL) ?? false;
}

/** A phase with fewer than 100 requests says nothing by itself: one of them would be more than 1%. */
function latePhases(load: string, timeline: Timeline, windows: readonly GeneratorWindow[]): string[] {
  return PHASES.flatMap((phase) => {
    const spans = phaseSpans(timeline, phase);
    const within = windows.filter(({ at }) =>
      spans.some(({ fromMs, toMs }) => at >= fromMs && (at + WINDOW_MS <= toMs || (toMs >= timeline.durationMs && at < toMs))),
    );
    const due = within.reduce((sum, window) => sum + window.due, 0);
    return due < LEAST_DUE ? [] : lateIn(load, ` ${phaseInWords(phase)}`, within, timeline);
  });
}

/**
 * The reason, if too many of these requests were late; `when` is ' during the fault', or nothing for the whole run. The same share that marks a window
 * is allowed for the run and for each phase by itself: a phase's p99 is worth no more than a window's.
 */
function lateIn(load: string, when: string, windows: readonly GeneratorWindow[], timeline: Timeline): string[] {
  const due = windows.reduce((sum, window) => sum + window.due, 0);
  const late = windows.reduce((sum, window) => sum + window.late, 0);
  if (!isStarved({ due, late })) return [];
  return [
    `load '${load}' was starved${when}: it came to ${formatShare(late / due)} of its requests more than 10 ms late, and ${formatShare(MOST_LATE_SHARE)} is allowed${probableCause(windows.filter(isStarved), timeline)}`,
  ];
}

/** Every request that was due ended somehow, and every one that a generator looked at is in a window: none was lost on its way to the files. */
function miscounted(timeline: Timeline): string[] {
  const { due, answered, failed } = totalsOf(timeline);
  const ended = answered + Object.values(failed).reduce((sum, count) => sum + count, 0);
  const offered = timeline.generator.reduce((sum, window) => sum + window.due, 0);
  const reasons: string[] = [];
  if (due !== ended) reasons.push(`${due} requests were due and ${ended} are told to have ended`);
  if (due > 0 && offered > 0 && due !== offered) reasons.push(`the generators offered ${offered} requests and the windows hold ${due}`);
  return reasons;
}

/** Counts over the whole run. */
export function totalsOf(timeline: Timeline): Report['totals'] {
  const failed: Record<string, number> = {};
  let due = 0;
  let answered = 0;
  let good = 0;
  let misses = 0;
  for (const window of timeline.windows) {
    due += window.due;
    answered += window.answered;
    good += window.good;
    misses += window.misses;
    for (const [kind, count] of Object.entries(window.failed)) failed[kind] = (failed[kind] ?? 0) + count;
  }
  return { durationMs: timeline.durationMs, due, answered, good, failed, misses };
}

/** Lateness over the whole run: requests that were late, the p99 that windows with 99% of all requests kept, and the worst. */
export function generatorOf({ generator }: Timeline): Report['generator'] {
  const worst = (key: 'maxLatenessMs' | 'maxLoopDelayMs') => generator.reduce((most, window) => Math.max(most, window[key]), 0);
  return {
    late: generator.reduce((sum, window) => sum + window.late, 0),
    p99LatenessMs: p99Lateness(generator),
    maxLatenessMs: worst('maxLatenessMs'),
    maxLoopDelayMs: worst('maxLoopDelayMs'),
  };
}

function p99Lateness(generator: readonly GeneratorWindow[]): number {
  const wanted = generator.reduce((sum, window) => sum + window.due, 0) * 0.99;
  let seen = 0;
  for (const window of generator.toSorted((a, b) => a.p99LatenessMs - b.p99LatenessMs)) {
    seen += window.due;
    if (seen >= wanted) return window.p99LatenessMs;
  }
  return 0;
}

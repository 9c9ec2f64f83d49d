/**
 * k6's own plan of a load: the stages that it is told, and when it starts which iteration by them.
 *
 * k6 knows two executors of an open loop. `constant-arrival-rate` ends by a clock: whether the iteration that is due in the very moment of
 * the end is still started is a race (k6 1.8.1, lib/executor/constant_arrival_rate.go). `ramping-arrival-rate` computes all its start
 * times from the stages and returns behind the last one, so a load that is followed by a stage of rate zero has a number of iterations that is
 * known exactly, constant rates included. That one is used for every load, and its arithmetic is done here once more: in the same order, in the same
 * 64-bit floating point.
 */
import { stretchesOf } from '../../../harness/load/demand/arrivals.ts';
import type { K6Segment } from './settings.ts';

/** k6 wants whole numbers of iterations per unit of time: in 1,000,000 s, '0.5/s' is 500,000 of them. */
export const TIME_UNIT_S = 1_000_000;

/** k6 starts iteration n, from 1, when the integral of the rate reaches n: a constant rate would leave out time zero, and end on the very end. */
export const LEAD_IN_MS = 10;
/**
 * So a stage before time zero has 0.999 of an iteration already done: iteration n, from 0, starts when the integral from time zero reaches n +
 * 0.001. A load of 10 s at 1000/s then has 10,000 of them, none on its end, as with our own pacer.
 */
const LEAD_IN_ITERATIONS = 0.999;
/** How late k6's loop may be at the end without an iteration being cut off. */
export const SLACK_MS = 1_000;

export interface Stage {
  /** Iterations in `TIME_UNIT_S` at its end. */
  readonly target: number;
  readonly durationNs: number;
}

export interface Stages {
  readonly startRate: number;
  readonly stages: readonly Stage[];
}

/** The stages of a load of `forMs`: the lead-in, its segments, and a stage of rate zero. A jump of the rate is a stage without length. */
export function stagesOf(segments: readonly K6Segment[], forMs: number): Stages {
  const startRate = Math.round(((LEAD_IN_ITERATIONS * 1_000) / LEAD_IN_MS) * TIME_UNIT_S);
  const stages: Stage[] = [{ target: startRate, durationNs: toNs(LEAD_IN_MS) }];
  for (const { segment, startMs, endMs } of stretchesOf(segments, forMs)) {
    const [from, to] = ratesOf(segment as K6Segment);
    const lengthMs = Math.min(endMs, forMs) - startMs;
    const reached = from + ((to - from) * lengthMs) / (endMs - startMs);
    stages.push({ target: inUnit(from), durationNs: 0 }, { target: inUnit(reached), durationNs: toNs(lengthMs) });
  }
  stages.push({ target: 0, durationNs: 0 }, { target: 0, durationNs: toNs(SLACK_MS) });
  return { startRate, stages };
}

/** The start times of k6's iterations, one after the other. */
export class Schedule {
  /** How many there are. */
  readonly planned: number;
  readonly #starts: Generator<number, undefined>;
  #next: number | undefined;

  constructor(stages: Stages) {
    this.planned = Math.floor(stageEnds(stages).at(-1) ?? 0);
    this.#starts = starts(stages);
    this.#next = this.#starts.next().value;
  }

  /** When the next one starts, ms since time zero; undefined behind the last. */
  get nextMs(): number | undefined {
    return this.#next;
  }

  /** The same, and goes on behind it. */
  take(): number | undefined {
    const startMs = this.#next;
    this.#next = this.#starts.next().value;
    return startMs;
  }
}

const TIME_UNIT_NS = TIME_UNIT_S * 1e9;

/** The integral of the rate up to the end of each stage. */
function stageEnds({ startRate, stages }: Stages): number[] {
  let done = 0;
  let from = startRate / TIME_UNIT_NS;
  return stages.map(({ target, durationNs }) => {
    const to = target / TIME_UNIT_NS;
    done += from === to ? durationNs * to : durationNs * ((to - from) / 2 + from);
    from = to;
    return done;
  });
}

/** After k6 1.8.1, lib/executor/ramping_arrival_rate.go, function cal. */
function* starts({ startRate, stages }: Stages): Generator<number, undefined> {
  const ends = stageEnds({ startRate, stages });
  let from = startRate / TIME_UNIT_NS;
  let doneBefore = 0;
  let stageStartNs = 0;
  let iteration = 1;
  for (const [index, { target, durationNs }] of stages.entries()) {
    const to = target / TIME_UNIT_NS;
    const end = ends[index] as number;
    for (; iteration <= end; iteration++) {
      const wanted = iteration - doneBefore;
      const inStageNs =
        from === to
          ? wanted / to
          : (from * durationNs - Math.sqrt(Math.max(0, durationNs * (from * from * durationNs + 2 * wanted * (to - from))))) / (from - to);
      yield (Math.trunc(inStageNs) + stageStartNs) / 1e6 - LEAD_IN_MS;
    }
    doneBefore = end;
    from = to;
    stageStartNs += durationNs;
  }
  return undefined;
}

function ratesOf(segment: K6Segment): [from: number, to: number] {
  return segment.kind === 'hold' ? [segment.ratePerSecond, segment.ratePerSecond] : [segment.fromPerSecond, segment.toPerSecond];
}

function inUnit(ratePerSecond: number): number {
  return Math.round(ratePerSecond * TIME_UNIT_S);
}

function toNs(ms: number): number {
  return Math.round(ms * 1e6);
}

/**
 * Small timelines made of requests whose fate a function decides: for tests only.
 *
 * Requests are due evenly and go to the shards in turn, so that every count in a test can be worked out by hand.
 */
import { Histogram } from './histogram.ts';
import { type Completion, type ErrorKind, type Gauge, type GeneratorWindow, type Mark, type Timeline, WINDOW_MS, type Window } from './types.ts';

/** How a request ends, and how long after it was due. */
export type Fate = { readonly afterMs: number; readonly failed?: ErrorKind };

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export const SHARDS = ['mc-1', 'mc-2', 'mc-3', 'mc-4'] as const;

export interface SyntheticOptions {
  readonly durationMs?: number;
  /** Over all shards. */
  readonly ratePerSecond?: number;
  readonly deadlineMs?: number;
  readonly shards?: readonly string[];
  readonly fate?: (dueMs: number, shard: string) => Fate;
  readonly marks?: readonly Mark[];
  readonly gauges?: readonly Gauge[];
  /** What is peculiar about a window of the generator. */
  readonly generator?: (at: number) => Partial<GeneratorWindow>;
}

export const healthy: Fate = { afterMs: 2 };

/** 20 s at 2,000/s over four shards, unless told otherwise: 50 requests in each window and shard, each of which takes 2 ms. */
export function synthetic(options: SyntheticOptions = {}): Timeline {
  const { durationMs = 20_000, ratePerSecond = 2_000, deadlineMs = 1_000, shards = SHARDS, fate = () => healthy, marks = [], gauges = [] } = options;
  const windows = new Map<string, Writable<Window> & { failed: Partial<Record<ErrorKind, number>> }>();
  const completions = new Map<string, Writable<Completion>>();
  const count = Math.floor((durationMs / 1_000) * ratePerSecond);
  const due = new Map<number, number>();
  for (let index = 0; index < count; index++) {
    const dueMs = (index * 1_000) / ratePerSecond;
    const shard = shards[index % shards.length] as string;
    const { afterMs, failed } = fate(dueMs, shard);
    const series = { operation: 'get', shard, tenant: 'main' };
    const at = Math.floor(dueMs / WINDOW_MS) * WINDOW_MS;
    due.set(at, (due.get(at) ?? 0) + 1);
    const window = entry(windows, `${at} ${shard}`, () => ({
      at,
      series,
      due: 0,
      answered: 0,
      good: 0,
      misses: 0,
      failed: {},
      latency: new Histogram(),
      gaveUp: new Histogram(),
    }));
    const endedMs = dueMs + afterMs;
    const endedAt = Math.floor(endedMs / WINDOW_MS) * WINDOW_MS;
    const completion = entry(completions, `${endedAt} ${shard}`, () => ({ at: endedAt, series, answered: 0, failed: 0 }));
    window.due++;
    if (failed) {
      window.failed[failed] = (window.failed[failed] ?? 0) + 1;
      window.gaveUp.record(afterMs * 1_000);
      completion.failed++;
    } else {
      window.answered++;
      if (afterMs <= deadlineMs) window.good++;
      window.latency.record(afterMs * 1_000);
      completion.answered++;
      completion.firstAnswerAt = Math.min(completion.firstAnswerAt ?? endedMs, endedMs);
      completion.lastAnswerAt = Math.max(completion.lastAnswerAt ?? endedMs, endedMs);
    }
  }
  const generator = [...due].map(([at, offered]) => ({
    at,
    load: 'main',
    due: offered,
    late: 0,
    p99LatenessMs: 0.2,
    maxLatenessMs: 0.5,
    maxLoopDelayMs: 1,
    connections: 50,
    connects: 0,
    sent: offered,
    ...options.generator?.(at),
  }));
  return {
    durationMs,
    windows: [...windows.values()].toSorted((a, b) => a.at - b.at),
    completions: [...completions.values()].toSorted((a, b) => a.at - b.at),
    generator,
    gauges,
    marks,
    findings: [],
  };
}

export interface FaultOptions {
  readonly step?: number;
  readonly affects?: readonly string[];
  readonly holds?: boolean;
  readonly title?: string;
}

/** The four marks of a fault that is in force from `injectedMs` to `healedMs`; taking it in and out lasts 5 ms each. */
export function faultMarks(
  injectedMs: number,
  healedMs: number,
  { step = 0, affects = ['mc-3'], holds = true, title = 'latency 1s on proxy-* -> mc-3' }: FaultOptions = {},
): Mark[] {
  const base = { step, fault: title, target: 'proxy-1 -> mc-3, proxy-2 -> mc-3', affects };
  const proof = { holds, asked: 'each answer 1 s later', measured: holds ? '+1.001 s' : '+0.2 ms' };
  return [
    { ...base, at: injectedMs - 5, event: 'injecting' },
    { ...base, at: injectedMs, event: 'injected', proof, provenAt: injectedMs + 1_000 },
    { ...base, at: healedMs - 5, event: 'healing' },
    { ...base, at: healedMs, event: 'healed', proof: { ...proof, holds: true }, provenAt: healedMs + 100 },
  ];
}

/** Fault times of most tests: 8 s before, 6 s during, 6 s after. */
export const INJECTED_MS = 8_000;
export const HEALED_MS = 14_000;

export const isDuring = (dueMs: number) => dueMs >= INJECTED_MS && dueMs < HEALED_MS;

function entry<V>(map: Map<string, V>, key: string, make: () => NoInfer<V>): V {
  const value = map.get(key) ?? make();
  map.set(key, value);
  return value;
}

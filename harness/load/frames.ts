/**
 * How the harness and a load program inside a client container talk: one JSON object a line, commands on the
 * program's stdin, frames on its stdout. The first line on stdin is the program's settings. The end of stdin ends
 * the program: the connection is the lease, so no load outlives its harness.
 */

import type { SavedCompletion, SavedWindow } from '../timeline/records.ts';
import type { GeneratorWindow } from '../timeline/types.ts';

export type Command =
  /** Answered at once with a pong that carries the program's monotonic clock, to align the two. */
  | { readonly do: 'ping'; readonly id: number }
  /** Time zero of the load, on the program's own monotonic clock (ms), and how long requests fall due from there. */
  | { readonly do: 'start'; readonly atMs: number; readonly forMs: number }
  /** No further requests; those under way end as they would. */
  | { readonly do: 'stop' };

export type Frame =
  | { readonly frame: 'pong'; readonly id: number; readonly clockMs: number }
  /** Connected and warmed up; waiting for start. */
  | { readonly frame: 'prepared'; readonly connections: number }
  /** All requests that were due in these windows have ended; no window is sent twice. */
  | {
      readonly frame: 'windows';
      readonly windows: readonly SavedWindow[];
      readonly completions: readonly SavedCompletion[];
      readonly generator: readonly Omit<GeneratorWindow, 'load'>[];
    }
  /** Numbers that the program read at its own node, such as sockets by state; `at` in ms since time zero. */
  | { readonly frame: 'gauges'; readonly at: number; readonly gauges: Readonly<Record<string, number>> }
  /** Something that bears on whether the run can be judged: 'invalid' makes it invalid, a 'note' is shown. */
  | { readonly frame: 'finding'; readonly severity: 'invalid' | 'note'; readonly text: string }
  /** Ten times a second, for people: what ended since the last one. */
  | {
      readonly frame: 'progress';
      readonly atMs: number;
      readonly due: number;
      readonly answered: number;
      readonly good: number;
      readonly failed: number;
      /** Of the answered; absent when nothing was answered. */
      readonly p99Ms?: number;
      readonly connections: number;
    }
  /** Every window has been sent. */
  | { readonly frame: 'done' }
  /** The program cannot go on: one line. */
  | { readonly frame: 'failed'; readonly why: string };

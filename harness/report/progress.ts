/**
 * What a person sees while a run lasts: on a terminal one line that is drawn again in place, elsewhere (a CI log, a file) a line for
 * every five seconds of the run.
 */
import { formatMs, formatShare } from '../core/units.ts';
import type { Tick as RunTick } from '../run/observer.ts';
import { NARROWEST } from './table.ts';
import { columns, fitted, oneLine } from './text.ts';
import { counted } from './words.ts';

/** What a run tells of itself ten times a second, with what a person needs to read it. */
export interface Tick extends RunTick {
  readonly durationMs: number;
  /** The fault in force, such as 'latency 1s on proxy-* -> mc-3'. */
  readonly fault?: string;
}

export interface Progress {
  /** A stage of the run begins: 'starting 8 containers'. It stays on the screen; the live line goes. */
  stage(text: string): void;
  tick(tick: Tick): void;
  /** Something worth a line of its own, that stays on the screen. */
  note(text: string): void;
  /** Takes the live line away. Nothing is written afterwards. */
  end(): void;
}

interface Stream {
  write(text: string): unknown;
  readonly columns?: number;
}

const REDRAW_MS = 100;
const LINE_EVERY_MS = 5_000;
/** Rates are told over the last second of the run: ten ticks, so that one late tick does not make them jump. */
const RECENT_MS = 1_000;
const BAR = 10;

/** `tty`: whether the stream is a terminal that a line can be redrawn on. `nowMs` is for tests. */
export function createProgress(stream: Stream, options: { tty: boolean; nowMs?: () => number }): Progress {
  const nowMs = options.nowMs ?? (() => performance.now());
  // The last column stays free: a terminal that wraps there would leave half of each line behind.
  const width = () => (stream.columns ?? NARROWEST) - 1;
  const recent: Tick[] = [];
  let live = '';
  let drawnAtMs = Number.NEGATIVE_INFINITY;
  let printedSlot = 0;
  let ended = false;

  const clear = () => (live === '' ? '' : '\r\u001b[2K');
  const permanent = (text: string) => {
    if (ended) return;
    stream.write(`${clear()}${oneLine(text)}\n${live}`);
  };
  const draw = (line: string) => {
    stream.write(`\r\u001b[2K${line}`);
    live = line;
    drawnAtMs = nowMs();
  };

  return {
    stage(text) {
      permanent(`· ${text}`);
      // The line belonged to the stage before.
      if (live !== '') stream.write('\r\u001b[2K');
      live = '';
    },
    note: (text) => permanent(`  ${text}`),
    tick(tick) {
      if (ended) return;
      // Time starts again with every run.
      if (tick.atMs < (recent.at(-1)?.atMs ?? 0)) {
        recent.length = 0;
        printedSlot = 0;
      }
      recent.push(tick);
      while ((recent[0] as Tick).atMs <= tick.atMs - RECENT_MS) recent.shift();
      if (options.tty) {
        if (nowMs() - drawnAtMs >= REDRAW_MS) draw(progressLine(recent, width()));
        return;
      }
      const slot = Math.floor(tick.atMs / LINE_EVERY_MS);
      if (slot > printedSlot) {
        printedSlot = slot;
        stream.write(`${progressLine(recent, width())}\n`);
      }
    },
    end() {
      if (ended) return;
      ended = true;
      if (live !== '') stream.write(clear());
      live = '';
    },
  };
}

/**
 * ' 12.3/35 s  ▕███░░░▏ fault: latency 1s on a -> b   1,998/s  goodput 99.8%  p99 3.1 ms  50 connections', from the ticks of the last
 * second. What does not fit is left out: first the connections, then the bar; the fault is shortened.
 */
export function progressLine(recent: readonly Tick[], width: number): string {
  const last = recent.at(-1);
  if (!last) return '';
  const sum = (of: (tick: Tick) => number) => recent.reduce((total, tick) => total + of(tick), 0);
  const ended = sum((tick) => tick.answered + tick.failed);
  const coveredMs = recent.length > 1 ? ((last.atMs - (recent[0] as Tick).atMs) * recent.length) / (recent.length - 1) : REDRAW_MS;
  const clock = `${(last.atMs / 1_000).toFixed(1).padStart(5)}/${Number((last.durationMs / 1_000).toFixed(1))} s`;
  const done = Math.round(BAR * Math.min(1, Math.max(0, last.atMs / last.durationMs)));
  const bar = `▕${'█'.repeat(done)}${'░'.repeat(BAR - done)}▏`;
  const rate = `${counted((sum((tick) => tick.due) * 1_000) / coveredMs)}/s`;
  const goodput = `goodput ${ended > 0 ? formatShare(sum((tick) => tick.good) / ended) : '-'}`;
  // Nothing answered is not the same as answered in no time.
  const p99s = recent.flatMap((tick) => (tick.answered > 0 && tick.p99Ms !== undefined ? [tick.p99Ms] : []));
  const p99 = `p99 ${p99s.length > 0 ? formatMs(Math.max(...p99s)) : '-'}`;
  const connections = `${counted(last.connections)} connections`;
  const fault = last.fault === undefined ? '' : `fault: ${oneLine(last.fault)}`;

  const figures = [rate, goodput, p99];
  for (const [left, right] of [
    [
      [clock, bar],
      [...figures, connections],
    ],
    [[clock, bar], figures],
    [[clock], figures],
    [[clock], [goodput, p99]],
  ] as const) {
    const fixed = [...left, ...right].join('  ');
    const room = width - columns(fixed) - 2;
    if (fault === '' ? room >= -2 : room >= Math.min(columns(fault), 28)) {
      return (fault === '' ? [fixed] : [...left, fitted(fault, room), ...right]).join(fault === '' ? '' : '  ');
    }
  }
  return fitted([clock, goodput, p99].join('  '), Math.max(1, width));
}

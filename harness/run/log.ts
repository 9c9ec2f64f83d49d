/** The three files into which a run writes what it sees, and the clock that its times are told by. */
import { join } from 'node:path';
import { monotonicMs } from '../core/clock.ts';
import { Journal } from '../timeline/journal.ts';
import type { GaugesRecord, JournalRecord, WindowsRecord } from '../timeline/records.ts';
import type { Finding, Mark } from '../timeline/types.ts';

export class RunLog {
  readonly #journal: Journal<JournalRecord>;
  readonly #windows: Journal<WindowsRecord>;
  readonly #gauges: Journal<GaugesRecord>;
  /** Time zero of the load on the monotonic clock, ms; none before the load has a start. */
  #zeroMs: number | undefined;
  #ended = false;

  constructor(folder: string) {
    this.#journal = Journal.create(join(folder, 'journal.ndjson'));
    this.#windows = Journal.create(join(folder, 'windows.ndjson'), { buffered: true });
    this.#gauges = Journal.create(join(folder, 'gauges.ndjson'), { buffered: true });
  }

  /** Fixes time zero of the load, `inMs` from now; answers with it on the monotonic clock. */
  start(inMs: number): number {
    this.#zeroMs = monotonicMs() + inMs;
    this.#journal.append({ type: 'start', at: 0, wallClock: new Date(Date.now() + inMs).toISOString(), monotonicMs: this.#zeroMs });
    return this.#zeroMs;
  }

  /** Milliseconds since time zero of the load, to the microsecond; 0 before it. */
  now(): number {
    return this.at(monotonicMs());
  }

  /** The same for a moment on the monotonic clock. */
  at(clockMs: number): number {
    return this.#zeroMs === undefined ? 0 : Math.round((clockMs - this.#zeroMs) * 1_000) / 1_000;
  }

  intent(action: string, name: string): void {
    this.#journal.append({ type: 'intent', clockMs: monotonicMs(), action, name });
  }

  done(action: string, name: string, detail?: string): void {
    this.#journal.append({ type: 'done', clockMs: monotonicMs(), action, name, ...(detail === undefined ? {} : { detail }) });
  }

  mark(mark: Mark): void {
    this.#journal.append({ type: 'mark', ...mark });
  }

  finding(severity: Finding['severity'], text: string): void {
    this.#journal.append({ type: 'finding', at: this.now(), severity, text });
  }

  event(name: string, detail: unknown): void {
    this.#journal.append({ type: 'event', at: this.now(), name, detail });
  }

  windows(records: Iterable<WindowsRecord>): void {
    for (const record of records) this.#windows.append(record);
  }

  /** Readings from before time zero and after the end are of no interest: nodes are watched from their start until they are taken down. */
  gauges(node: string, clockMs: number, gauges: Readonly<Record<string, number>>): void {
    const at = this.at(clockMs);
    if (this.#zeroMs === undefined || at < 0 || this.#ended) return;
    for (const [name, value] of Object.entries(gauges)) this.#gauges.append({ type: 'gauge', at, node, name, value });
  }

  /** Ends the timeline. Nothing can be written to it afterwards but what the end of the cluster leaves. */
  end(durationMs: number, aborted?: string): void {
    // The end is told last: a process killed on the way leaves a timeline that says itself that it is not whole.
    this.#ended = true;
    this.#windows.close();
    this.#gauges.close();
    this.#journal.append({ type: 'end', at: this.now(), durationMs, ...(aborted === undefined ? {} : { aborted }) });
  }

  close(): void {
    this.#journal.close();
  }
}

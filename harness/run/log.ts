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
  readonly #onBroken: (thrown: unknown) => void;
  #broken = false;

  /** `onBroken` is called once, when a file cannot be written any more: the run has to be stopped then, in order. */
  constructor(folder: string, onBroken: (thrown: unknown) => void) {
    this.#onBroken = onBroken;
    this.#journal = Journal.create(join(folder, 'journal.ndjson'));
    this.#windows = Journal.create(join(folder, 'windows.ndjson'), { buffered: true });
    this.#gauges = Journal.create(join(folder, 'gauges.ndjson'), { buffered: true });
  }

  /** Fixes time zero of the load, `inMs` from now; answers with it on the monotonic clock. */
  start(inMs: number): number {
    this.#zeroMs = monotonicMs() + inMs;
    this.#write(this.#journal, { type: 'start', at: 0, wallClock: new Date(Date.now() + inMs).toISOString(), monotonicMs: this.#zeroMs });
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
    this.#write(this.#journal, { type: 'intent', clockMs: monotonicMs(), action, name });
  }

  done(action: string, name: string, detail?: string): void {
    this.#write(this.#journal, { type: 'done', clockMs: monotonicMs(), action, name, ...(detail === undefined ? {} : { detail }) });
  }

  mark(mark: Mark): void {
    this.#write(this.#journal, { type: 'mark', ...mark });
  }

  finding(severity: Finding['severity'], text: string): void {
    this.#write(this.#journal, { type: 'finding', at: this.now(), severity, text });
  }

  event(name: string, detail: unknown): void {
    this.#write(this.#journal, { type: 'event', at: this.now(), name, detail });
  }

  windows(records: Iterable<WindowsRecord>): void {
    for (const record of records) this.#write(this.#windows, record);
  }

  /** Readings from before time zero and after the end are of no interest: nodes are watched from their start until they are taken down. */
  gauges(node: string, clockMs: number, gauges: Readonly<Record<string, number>>): void {
    const at = this.at(clockMs);
    if (this.#zeroMs === undefined || at < 0 || this.#ended) return;
    for (const [name, value] of Object.entries(gauges)) this.#write(this.#gauges, { type: 'gauge', at, node, name, value });
  }

  /** Ends the timeline. Nothing can be written to it afterwards but what the end of the cluster leaves. */
  end(durationMs: number, aborted?: string): void {
    // The end is told last: a process killed on the way leaves a timeline that says itself that it is not whole.
    this.#ended = true;
    this.#safely(() => this.#windows.close());
    this.#safely(() => this.#gauges.close());
    this.#write(this.#journal, { type: 'end', at: this.now(), durationMs, ...(aborted === undefined ? {} : { aborted }) });
  }

  close(): void {
    this.#safely(() => this.#journal.close());
  }

  #write<R extends object>(journal: Journal<R>, record: R): void {
    this.#safely(() => journal.append(record));
  }

  /** What cannot be written must not keep a fault in force or a cluster standing, so nothing is thrown from here. */
  #safely(act: () => void): void {
    if (this.#broken) return;
    try {
      act();
    } catch (thrown) {
      this.#broken = true;
      this.#onBroken(thrown);
    }
  }
}

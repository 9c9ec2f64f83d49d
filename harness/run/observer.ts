/** Who is told how a run gets on, while it does. */
import type { Frame } from '../load/frames.ts';

/** Ten times a second: what ended since the last one. */
export type Tick = Omit<Extract<Frame, { frame: 'progress' }>, 'frame'>;

export interface Observer {
  /** A new stage of the run: 'starting 8 nodes'. */
  stage(text: string): void;
  tick(tick: Tick & { readonly load: string }): void;
  /** Which faults are in force; empty when none is. */
  faults(titles: readonly string[]): void;
  /** Something worth a line of its own. */
  note(text: string): void;
}

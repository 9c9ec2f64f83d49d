/** One target under a flood: the flood itself, and all that can be seen of it there. */
import type { FloodForm } from '../../cluster/flood-form.ts';
import type { Flooder, Flooding } from '../../cluster/flooder.ts';
import type { Disturbance, Passage } from '../../cluster/types.ts';
import { once } from '../../core/once.ts';
import { type Arrivals, type Arrived, countArrivals } from './arrivals.ts';
import { type Look, spanMs } from './dose.ts';

export class Flooded implements Disturbance {
  readonly #passage: Passage;
  readonly #flooder: Flooder;
  readonly #arrivals: Arrivals;
  readonly #flooding: Flooding;
  readonly #spanMs: { readonly least: number; readonly most: number };
  /** What was counted, from the oldest that a rate can still be told by. */
  #counts: Arrived[];
  #last: Look | undefined;
  /** Ends the flood; what counted it goes with it. */
  readonly undo: () => Promise<void>;

  /** Begins a flood, with the counting begun before it. */
  static async begin(passage: Passage, form: FloodForm): Promise<Flooded> {
    const flooder = await passage.flooder();
    const arrivals = await countArrivals(passage, flooder.address);
    try {
      const first = await arrivals.read();
      return new Flooded(passage, flooder, arrivals, await flooder.flood(form), first, spanMs(form));
    } catch (thrown) {
      await arrivals.undo();
      throw thrown;
    }
  }

  private constructor(
    passage: Passage,
    flooder: Flooder,
    arrivals: Arrivals,
    flooding: Flooding,
    first: Arrived,
    span: { readonly least: number; readonly most: number },
  ) {
    this.#passage = passage;
    this.#flooder = flooder;
    this.#arrivals = arrivals;
    this.#flooding = flooding;
    this.#counts = [first];
    this.#spanMs = span;
    this.undo = once(async () => {
      await flooding.undo();
      await arrivals.undo();
    });
  }

  async missing(): Promise<string | undefined> {
    return (await this.#flooding.missing()) ?? (await this.#arrivals.missing());
  }

  async look(): Promise<Look> {
    const [seen, told, now] = await Promise.all([this.#passage.connectionsFrom(this.#flooder.address), this.#flooding.told(), this.#arrivals.read()]);
    const { least, most } = this.#spanMs;
    const old = this.#counts.filter(({ atMs }) => atMs <= now.atMs - least);
    // The latest of those that are old enough: what comes at a pace from the start on is told as it is now.
    const latest = old.at(-1);
    const before = latest && latest.atMs >= now.atMs - most ? latest : undefined;
    this.#counts = [...(latest ? [latest] : []), ...this.#counts.slice(old.length), now];
    this.#last = { seen, told, now, before };
    return this.#last;
  }

  /** What was seen last. */
  get last(): Look | undefined {
    return this.#last;
  }
}

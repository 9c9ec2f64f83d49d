/**
 * Programs of ours inside a node, in its own group of processes: what they use counts as the node's, and they see its disks and its limits. Run by the engine's exec, as root, with nothing but
 * the perl that every Debian has. What each does is in the folder `resident`.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type Dockerode from 'dockerode';
import { EnvironmentError, messageOf } from '../core/errors.ts';
import { once } from '../core/once.ts';
import { type Channel, openChannel } from './channel.ts';
import { isRunning } from './inside.ts';
import { Orders } from './orders.ts';
import type { Disturbance } from './types.ts';

/** A line that a measurement said. */
export type Measured = Readonly<Record<string, unknown>>;

/** What is held inside a node. */
export type Held = 'burn' | 'disk' | 'descriptors' | 'memory';

/** Longer than the program allows itself. */
const MEASURE_LIMIT_MS = 35_000;
/** For an engine that is busy, and a node with little of a processor. */
const ANSWER_LIMIT_MS = 10_000;

const text = (name: string) => readFileSync(join(import.meta.dirname, 'resident', name), 'utf8');

export class Resident {
  readonly #docker: Dockerode;
  readonly #containerId: string;
  readonly #name: string;

  constructor(docker: Dockerode, containerId: string, name: string) {
    this.#docker = docker;
    this.#containerId = containerId;
    this.#name = name;
  }

  /** Measures once, as `resident/measure.pl` tells. Throws EnvironmentError with its own words when it cannot. */
  async measure(what: readonly string[]): Promise<Measured> {
    const channel = await this.#open('measure.pl', what);
    let line: Measured | undefined;
    channel.onMessage((message) => {
      line = message;
    });
    const timer = setTimeout(() => channel.close(), MEASURE_LIMIT_MS);
    const { code, stderr } = await channel.ended;
    clearTimeout(timer);
    if (line === undefined) throw this.#failure(stderr || `it measured nothing (exit ${code})`);
    if ('error' in line) throw this.#failure(String(line['error']));
    return line;
  }

  /** Holds something until it is given back, or we are gone. `holds` says, from what it tells of itself, why it does not any more. */
  async hold(what: Held, how: string | number, holds: (told: Measured) => string | undefined): Promise<Disturbance> {
    const { orders, begun } = await this.#begin(what, String(how));
    const end = async () => {
      if (orders.end === undefined) {
        try {
          await this.#ask(orders, { do: 'end' });
          return;
        } catch (thrown) {
          // It was killed in this moment.
          if (orders.end === undefined) throw thrown;
        } finally {
          await orders.close();
        }
      }
      // The kernel has taken from one that is gone what it held, but for what it says itself how to put back.
      const back = begun['back'];
      if (typeof back === 'string') await this.#putBack(back);
    };
    return { undo: once(end), missing: async () => orders.end ?? holds(await this.#ask(orders, { do: 'tell' })) };
  }

  /** By a fresh program. In a node that does not run there is no process that anything could be put back for. */
  async #putBack(back: string): Promise<void> {
    if (!(await isRunning(this.#docker.getContainer(this.#containerId)))) return;
    await (await this.#begin('limits', back)).orders.close();
  }

  async #begin(what: Held | 'limits', how: string): Promise<{ orders: Orders; begun: Measured }> {
    const orders = new Orders(await this.#open('hold.pl', [what, how]), `what holds the ${what} of ${this.#name}`);
    try {
      return { orders, begun: await this.#ask(orders, { do: 'begin' }) };
    } catch (thrown) {
      await orders.close();
      throw thrown;
    }
  }

  async #ask(orders: Orders, order: object): Promise<Measured> {
    const answer = await orders.ask(order, ANSWER_LIMIT_MS);
    if ('error' in answer) throw this.#failure(String(answer['error']));
    return answer;
  }

  async #open(program: string, given: readonly string[]): Promise<Channel> {
    try {
      return await openChannel(this.#docker, this.#containerId, ['perl', '-e', text(program), ...given], {}, 'root');
    } catch (thrown) {
      throw this.#failure(messageOf(thrown));
    }
  }

  #failure(words: string): EnvironmentError {
    return new EnvironmentError(`inside ${this.#name}: ${words.trim()}`);
  }
}

/** Orders to a program of ours over its channel: each has a number, and is answered with a line that bears it. */
import { EnvironmentError } from '../core/errors.ts';
import { beat, type Channel } from './channel.ts';

/** How often a program that lends hears that we are still there. */
const BEAT_MS = 2_000;

interface Waiting {
  readonly resolve: (message: Record<string, unknown>) => void;
  readonly reject: (error: Error) => void;
}

export class Orders {
  readonly #channel: Channel;
  readonly #who: string;
  readonly #waiting = new Map<number, Waiting>();
  readonly #beating: NodeJS.Timeout;
  #count = 0;
  #end: string | undefined;
  /** Resolves when the program has ended. */
  readonly ended: Promise<void>;

  /** `who` names the program in errors: 'the flood of mc-1'. */
  constructor(channel: Channel, who: string) {
    this.#channel = channel;
    this.#who = who;
    this.#beating = setInterval(() => beat(this.#channel), BEAT_MS).unref();
    channel.onMessage((message) => {
      const id = message['id'] as number;
      this.#waiting.get(id)?.resolve(message);
      this.#waiting.delete(id);
    });
    this.ended = channel.ended.then(({ code, stderr }) => {
      clearInterval(this.#beating);
      this.#end = `${who} ended: ${stderr.split('\n').at(-1) || `exit ${code}`}`;
      for (const { reject } of this.#waiting.values()) reject(new EnvironmentError(this.#end));
      this.#waiting.clear();
    });
  }

  /** Why the program is not there any more; undefined while it is. */
  get end(): string | undefined {
    return this.#end;
  }

  /** Resolves with the line that answers. Throws EnvironmentError when none comes in time, or the program has ended. */
  ask(order: object, limitMs: number): Promise<Record<string, unknown>> {
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) {
        reject(new EnvironmentError(this.#end));
        return;
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new EnvironmentError(`${this.#who} did not answer within ${limitMs / 1_000} s`));
      }, limitMs);
      const settle =
        <T>(pass: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          pass(value);
        };
      this.#waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
      this.#channel.send({ id, ...order });
    });
  }

  /** Ends the program; resolves when it has ended. */
  async close(): Promise<void> {
    clearInterval(this.#beating);
    this.#channel.close();
    await this.ended;
  }
}

/**
 * The harness's hand in a node's network namespace: asks nodes and links whether they answer, and reads sockets there. The
 * program at the other end is handed in by the cluster's spec.
 */

import { monotonicMs } from '../core/clock.ts';
import { EnvironmentError } from '../core/errors.ts';
import type { Channel } from './channel.ts';
import type { ProbeSpec } from './spec.ts';
import type { Answer, Prober } from './types.ts';

/** One reading of a watching hand. `clockMs` is the monotonic clock there. */
export interface Reading {
  readonly clockMs: number;
  readonly gauges: Readonly<Record<string, number>>;
}

/** A probe's own patience ends first; this is for a hand that is gone. */
const GRACE_MS = 5_000;

export class Hand {
  readonly #channel: Channel;
  readonly #waiting = new Map<number, { resolve: (message: Record<string, unknown>) => void; reject: (error: Error) => void }>();
  #orders = 0;
  #keeps = 0;
  #onReading: (reading: Reading) => void = () => undefined;

  constructor(channel: Channel, name: string) {
    this.#channel = channel;
    channel.onMessage((message) => {
      if ('watch' in message) {
        this.#onReading(message['watch'] as Reading);
        return;
      }
      const id = message['id'] as number;
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if ('error' in message) waiting?.reject(new EnvironmentError(`the hand at ${name} failed: ${String(message['error'])}`));
      else waiting?.resolve(message);
    });
    void channel.ended.then(({ stderr }) => {
      for (const { reject } of this.#waiting.values()) reject(new EnvironmentError(`the hand at ${name} is gone: ${stderr || 'it ended'}`));
      this.#waiting.clear();
    });
  }

  /** Offset of the clock there against the clock here, ms, and how uncertain it is: half of the best round trip of ten. */
  async clockOffset(): Promise<{ offsetMs: number; uncertaintyMs: number }> {
    let best = { offsetMs: 0, uncertaintyMs: Number.POSITIVE_INFINITY };
    for (let i = 0; i < 10; i++) {
      const sent = monotonicMs();
      const { clockMs } = (await this.#order({ do: 'ping' }, GRACE_MS)) as { clockMs: number };
      const halfTrip = (monotonicMs() - sent) / 2;
      if (halfTrip < best.uncertaintyMs) best = { offsetMs: clockMs - (sent + halfTrip), uncertaintyMs: halfTrip };
    }
    return best;
  }

  /** A prober from here to an address (host:port). The address is asked for at each question, since a node may move. */
  prober(to: () => string, probe: ProbeSpec): Prober {
    const keep = `k${++this.#keeps}`;
    return {
      ask: async (connection, patienceMs) => {
        const order = { do: 'ask', to: to(), send: probe.send, expect: probe.expect, ends: probe.ends ?? '\n', connection, keep, patienceMs };
        const { answer } = (await this.#order(order, patienceMs + GRACE_MS)) as { answer: Answer };
        return answer;
      },
      close: async () => {
        await this.#order({ do: 'close', keep }, GRACE_MS);
      },
    };
  }

  /** Reads sockets at a local port, how busy the host is, or both, every so often from now on. Once for each hand. */
  async watch(what: { readonly port?: number; readonly host: boolean }, everyMs: number, listener: (reading: Reading) => void): Promise<void> {
    this.#onReading = listener;
    await this.#order({ do: 'watch', ...what, everyMs }, GRACE_MS);
  }

  close(): void {
    this.#channel.close();
  }

  #order(order: object, limitMs: number): Promise<Record<string, unknown>> {
    const id = ++this.#orders;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new EnvironmentError(`a hand did not answer within ${limitMs / 1_000} s`));
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
}

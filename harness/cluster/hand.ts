/**
 * The harness's hand in a node's network namespace: asks nodes and links whether they answer, and reads sockets there. The
 * program at the other end is handed in by the cluster's spec.
 */

import { monotonicMs } from '../core/clock.ts';
import { EnvironmentError } from '../core/errors.ts';
import type { Channel } from './channel.ts';
import type { ProbeSpec } from './spec.ts';
import type { Answer, NetworkHand, Prober } from './types.ts';

/** One reading of a watching hand. `clockMs` is the monotonic clock there. */
export interface Reading {
  readonly clockMs: number;
  readonly gauges: Readonly<Record<string, number>>;
}

/** A probe's own patience ends first; this is for a hand that is gone. */
const GRACE_MS = 5_000;
/** How often a hand that lends hears that we are still there. */
const BEAT_MS = 2_000;

function firstLine(text: string, code: number): string {
  return text.trim().split('\n')[0] || `exit ${code}`;
}

export class Hand implements NetworkHand {
  readonly #channel: Channel;
  readonly #waiting = new Map<number, { resolve: (message: Record<string, unknown>) => void; reject: (error: Error) => void }>();
  readonly #loans = new Set<string>();
  #beating: NodeJS.Timeout | undefined;
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
      clearInterval(this.#beating);
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

  async nft(script: string): Promise<void> {
    const { code, err } = await this.#tool(['nft', '-f', '-'], script);
    if (code !== 0) throw new EnvironmentError(`nft refused a script: ${firstLine(err, code)}`);
  }

  async counted(family: string, table: string, counter: string): Promise<number | undefined> {
    const listed = await this.#listed('counter', family, table, counter);
    return (listed as { counter?: { packets: number } } | undefined)?.counter?.packets;
  }

  async elements(family: string, table: string, set: string): Promise<number | undefined> {
    const listed = (await this.#listed('set', family, table, set)) as { set?: { elem?: unknown[] } } | undefined;
    return listed?.set && (listed.set.elem ?? []).length;
  }

  /** One object of nftables, as its JSON tells it; undefined when there is none. */
  async #listed(kind: string, family: string, table: string, name: string): Promise<object | undefined> {
    const { code, out, err } = await this.#tool(['nft', '-j', 'list', kind, family, table, name]);
    if (code === 0) return (JSON.parse(out) as { nftables: object[] }).nftables.find((one) => kind in one);
    if (err.includes('No such file or directory')) return undefined;
    throw new EnvironmentError(`nft does not list ${kind} ${name}: ${firstLine(err, code)}`);
  }

  async #tool(argv: readonly string[], input = ''): Promise<{ code: number; out: string; err: string }> {
    const { result } = (await this.#order({ do: 'tool', call: { argv, input } }, 2 * GRACE_MS)) as { result: { code: number; out: string; err: string } };
    return result;
  }

  /**
   * Disturbs this namespace by rules of nftables that end when we die: `begin` at once, `renew` at once and every two seconds, `end` when it is given back, when we are silent, or when we are
   * gone. The answer gives it back; calling it again does nothing.
   */
  async lend(name: string, script: { readonly begin: string; readonly renew: string; readonly end: string }): Promise<() => Promise<void>> {
    const nft = (input: string) => ({ argv: ['nft', '-f', '-'], input });
    await this.#order({ do: 'lend', name, begin: nft(script.begin + script.renew), loan: { renew: nft(script.renew), end: nft(script.end) } }, GRACE_MS);
    this.#loans.add(name);
    this.#beating ??= setInterval(() => this.#channel.send({ do: 'beat' }), BEAT_MS).unref();
    let given: Promise<void> | undefined;
    return () => {
      given ??= this.#giveBack(name);
      return given;
    };
  }

  /** Sends datagrams that a rule at their target counts; resolves when the last is on its way. */
  async send(datagrams: {
    readonly host: string;
    readonly port: number;
    readonly fromPort?: number;
    readonly mark: number;
    readonly count: number;
  }): Promise<void> {
    await this.#order({ do: 'send', datagrams }, GRACE_MS + datagrams.count);
  }

  /** Reads sockets at a local port, how busy the host is, or both, every so often from now on. Once for each hand. */
  async watch(what: { readonly port?: number; readonly host: boolean }, everyMs: number, listener: (reading: Reading) => void): Promise<void> {
    this.#onReading = listener;
    await this.#order({ do: 'watch', ...what, everyMs }, GRACE_MS);
  }

  close(): void {
    clearInterval(this.#beating);
    this.#channel.close();
  }

  async #giveBack(name: string): Promise<void> {
    this.#loans.delete(name);
    if (this.#loans.size === 0) {
      clearInterval(this.#beating);
      this.#beating = undefined;
    }
    await this.#order({ do: 'give back', name }, GRACE_MS);
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

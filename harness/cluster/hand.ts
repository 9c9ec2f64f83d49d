/**
 * The harness's hand in a node's network namespace: asks nodes and links whether they answer, and reads sockets there. The
 * program at the other end is handed in by the cluster's spec.
 */

import { monotonicMs } from '../core/clock.ts';
import { EnvironmentError } from '../core/errors.ts';
import { beat, type Channel } from './channel.ts';
import { fullName, type Resolved } from './names.ts';
import type { ProbeSpec } from './spec.ts';
import type { Answer, ConnectionsSeen, Dialled, Drawn, LinkProber, Process } from './types.ts';
import { expectFlight, type Flight, fly, type Landing, run, type WireHand, type WireScript, wireTerms } from './wire.ts';

/** One reading of a watching hand. `clockMs` is the monotonic clock there. */
export interface Reading {
  readonly clockMs: number;
  readonly gauges: Readonly<Record<string, number>>;
}

/** A probe's own patience ends first; this is for a hand that is gone. */
const GRACE_MS = 5_000;
/** All keys of a cache that is full come in less. */
const EXCHANGE_LIMIT_MS = 10_000;
/** twemproxy keeps 16 kB for each of them: 90,000 at once were more than all of its memory. */
const MOST_UNANSWERED = 128;
/** How often a hand that lends hears that we are still there. */
const BEAT_MS = 2_000;

const nft = (input: string) => ({ argv: ['nft', '-f', '-'], input });

function firstLine(text: string, code: number): string {
  return text.trim().split('\n')[0] || `exit ${code}`;
}

export class Hand implements WireHand {
  readonly #channel: Channel;
  readonly #waiting = new Map<number, { resolve: (message: Record<string, unknown>) => void; reject: (error: Error) => void }>();
  readonly #loans = new Set<string>();
  #beating: NodeJS.Timeout | undefined;
  #isClosed = false;
  #hasEnded = false;
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
      this.#hasEnded = true;
      clearInterval(this.#beating);
      for (const { reject } of this.#waiting.values()) reject(new EnvironmentError(`the hand at ${name} is gone: ${stderr || 'it ended'}`));
      this.#waiting.clear();
    });
  }

  /** Its program is no more: somebody has killed it, or its container. */
  get hasEnded(): boolean {
    return this.#hasEnded;
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
  prober(to: () => string, probe: ProbeSpec): LinkProber {
    const keep = `k${++this.#keeps}`;
    const { send, expect, ends = '\n', bulky, bye } = probe;
    return {
      drawsWhole: bulky !== undefined,
      partsByWord: bye !== undefined,
      askRow: async (connection, { count, lanes, patienceMs }) => {
        const row = { to: to(), send, expect, ends, connection, keep: `${keep}/row`, patienceMs, count, lanes };
        // A lane gives up at its first silence; all that came before took less than its patience each.
        return (await this.#order({ do: 'row', row }, Math.ceil(count / lanes + 1) * patienceMs + GRACE_MS))['answers'] as Answer[];
      },
      draw: async (connection, { count, window = MOST_UNANSWERED, patienceMs }) => {
        const draw = { to: to(), send, ends, ...bulky, connection, keep: `${keep}/draw`, patienceMs, count, window };
        return (await this.#order({ do: 'draw', draw }, patienceMs + GRACE_MS))['drawn'] as Drawn;
      },
      part: async (connection, patienceMs) => {
        const parting = { to: to(), ...(bye !== undefined && { bye }), connection, keep: `${keep}/part`, patienceMs };
        return (await this.#order({ do: 'part', parting }, patienceMs + GRACE_MS))['answer'] as Answer;
      },
      ask: async (connection, patienceMs) => {
        const order = { do: 'ask', to: to(), send: probe.send, expect: probe.expect, ends: probe.ends ?? '\n', connection, keep, patienceMs };
        const { answer } = (await this.#order(order, patienceMs + GRACE_MS)) as { answer: Answer };
        return answer;
      },
      dial: async (calls) => {
        const lastsMs = calls.patienceMs + (1_000 * calls.count) / calls.perSecond;
        return (await this.#order({ do: 'dial', to: to(), keep, calls }, lastsMs + GRACE_MS))['dialled'] as Dialled;
      },
      hangUp: async () => {
        await this.#order({ do: 'hang up', keep }, GRACE_MS);
      },
      close: async () => {
        await this.#order({ do: 'close', keep }, GRACE_MS);
      },
    };
  }

  /** What time it is there by the wall clock, ms since 1970. */
  async wallClock(): Promise<number> {
    return (await this.#order({ do: 'wall clock' }, GRACE_MS))['wallMs'] as number;
  }

  /** Asks for the address of a node's name, once, of whom this namespace asks. */
  async resolve(node: string, patienceMs: number): Promise<Resolved> {
    return (await this.#order({ do: 'resolve', name: fullName(node), patienceMs }, patienceMs + GRACE_MS))['resolved'] as Resolved;
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

  /** What was found in the answer to a long exchange with host:port, on a connection of its own: the first group of `find`, wherever it fits. Patterns as in `ContentsSpec`. */
  async exchange(
    exchange: { readonly to: string; readonly send: string; readonly until: string; readonly find: string },
    limitMs = EXCHANGE_LIMIT_MS,
  ): Promise<string[]> {
    return (await this.#order({ do: 'exchange', exchange: { ...exchange, limitMs } }, limitMs + GRACE_MS))['found'] as string[];
  }

  async connectionsFrom(port: number, from: string): Promise<ConnectionsSeen> {
    return (await this.#order({ do: 'connections', port, from }, GRACE_MS))['connections'] as ConnectionsSeen;
  }

  async farEnds(port: number): Promise<string[]> {
    return (await this.#order({ do: 'far ends', port }, GRACE_MS))['farEnds'] as string[];
  }

  async rules(family: string, table: string): Promise<string | undefined> {
    const { code, out, err } = await this.#tool(['nft', '-s', 'list', 'table', family, table]);
    // What a set holds comes and goes by itself.
    if (code === 0) return out.replaceAll(/elements = \{[^}]*\}\s*/g, '');
    if (err.includes('No such file or directory')) return undefined;
    throw new EnvironmentError(`nft does not list table ${table}: ${firstLine(err, code)}`);
  }

  /** One object of nftables, as its JSON tells it; undefined when there is none. */
  async #listed(kind: string, family: string, table: string, name: string): Promise<object | undefined> {
    const { code, out, err } = await this.#tool(['nft', '-j', 'list', kind, family, table, name]);
    if (code === 0) return (JSON.parse(out) as { nftables: object[] }).nftables.find((one) => kind in one);
    if (err.includes('No such file or directory')) return undefined;
    throw new EnvironmentError(`nft does not list ${kind} ${name}: ${firstLine(err, code)}`);
  }

  /** Runs one of the kernel's tools where the hand is, and tells how it ended. */
  outcomeOf(argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
    return this.#tool(argv);
  }

  /** Disturbs by a tool of the kernel's, until another call of it takes that back: when it is given back, or we are silent or gone. */
  lendTool(name: string, terms: Record<'begin' | 'end', { readonly argv: readonly string[]; readonly input?: string }>): Promise<() => Promise<void>> {
    return this.#lend(name, { begin: terms.begin, loan: { end: terms.end } });
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
    return this.#lend(name, { begin: nft(script.begin + script.renew), loan: { renew: nft(script.renew), end: nft(script.end) } });
  }

  /** Counts by a table of nftables until that is given back, or we are silent or gone. */
  count(table: string, script: string): Promise<() => Promise<void>> {
    return this.#lend(table, { begin: nft(script), loan: { end: nft(`add table inet ${table}\ndelete table inet ${table}\n`) } });
  }

  /** Disturbs from `begin` on, until it is given back or we are gone. */
  async #lend(name: string, terms: object): Promise<() => Promise<void>> {
    await this.#order({ do: 'lend', name, ...terms }, GRACE_MS);
    this.#loans.add(name);
    this.#beating ??= setInterval(() => beat(this.#channel), BEAT_MS).unref();
    let given: Promise<void> | undefined;
    return () => {
      given ??= this.#giveBack(name);
      return given;
    };
  }

  /** As for rules, with whatever leads packets through something. */
  async lay(name: string, script: WireScript): Promise<() => Promise<void>> {
    try {
      return await this.#lend(name, wireTerms(name, script));
    } catch (thrown) {
      // Half of it may stand. That taking it back complains of the other half is no news.
      await this.#order({ do: 'give back', name }, GRACE_MS).catch(() => undefined);
      throw thrown;
    }
  }

  run(argv: readonly string[]): Promise<string> {
    return run((order, limitMs) => this.#order(order, limitMs), argv);
  }

  fly(flight: Flight): Promise<void> {
    return fly((order, limitMs) => this.#order(order, limitMs), flight);
  }

  expect(mark: number, port?: number): Promise<Landing> {
    return expectFlight((order, limitMs) => this.#order(order, limitMs), mark, port);
  }

  /** Every process in this namespace. */
  async processes(): Promise<Process[]> {
    const { processes } = (await this.#order({ do: 'processes' }, GRACE_MS)) as { processes: Process[] };
    return processes;
  }

  /** Throws EnvironmentError naming those that did not get it; the others did. */
  async signal(signal: NodeJS.Signals, to: readonly Process[]): Promise<void> {
    const { result } = (await this.#order({ do: 'tool', call: { signal, to } }, GRACE_MS)) as { result: { code: number; err: string } };
    if (result.code !== 0) throw new EnvironmentError(result.err);
  }

  /** SIGCONT to these, once it is given back, or we are silent or gone. SIGSTOP now, where `stopsThem`: a first process is deaf to it from inside its own namespace. */
  lendContinue(name: string, to: readonly Process[], stopsThem: boolean): Promise<() => Promise<void>> {
    return this.#lend(name, { ...(stopsThem && { begin: { signal: 'SIGSTOP', to } }), loan: { end: { signal: 'SIGCONT', to } } });
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
    this.#isClosed = true;
    clearInterval(this.#beating);
    this.#channel.close();
  }

  async #giveBack(name: string): Promise<void> {
    // Closed by ourselves: the namespace is gone, and what was lent there with it.
    if (this.#isClosed) return;
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

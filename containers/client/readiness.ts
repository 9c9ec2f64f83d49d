/**
 * Whether the whole path of a cache cluster answers: through the entry, every proxy, and from every proxy to every shard.
 *
 * One answered request proves one proxy and one shard, and an accepted connection proves nothing (Toxiproxy and published ports accept for
 * a server that is not there). So four connections for each proxy go through the entry, which deals them out, one key of every shard is set and
 * got on each, and then each proxy's own counters must show an answered request for every server.
 */
import { connect } from 'node:net';
import { monotonicMs } from '../../harness/core/clock.ts';
import { messageOf } from '../../harness/core/errors.ts';
import { exchangesWith } from '../../harness/load/exchange.ts';
import { type Credentials, memcachedProtocol, type ProtocolName } from '../memcached/protocol.ts';
import { ketama } from '../twemproxy/ketama.ts';
import { addressOf } from './settings.ts';

export interface ReadySettings {
  /** ip:port of the first hop. */
  readonly entry: string;
  /** twemproxy nodes and the ip:port of their statistics; none when the entry is a cache itself. */
  readonly proxies: readonly { readonly name: string; readonly stats: string }[];
  readonly shards: readonly string[];
  /** Default 'text', without a login. */
  readonly protocol?: ProtocolName;
  readonly auth?: Credentials;
  readonly patienceMs: number;
}

export type Readiness =
  | {
      readonly ok: true;
      readonly evidence: {
        readonly afterMs: number;
        readonly connections: number;
        readonly answeredByProxy: Readonly<Record<string, Readonly<Record<string, number>>>>;
      };
    }
  | { readonly ok: false; readonly why: string };

const CONNECTIONS_PER_PROXY = 4;
/** A single answer that takes longer is asked for again on a new connection. */
const ANSWER_WITHIN_MS = 1_000;
/** twemproxy gathers its statistics each 200 ms when it is run with -i 200, so they tell of the last round by then. */
const STATISTICS_AGE_MS = 250;
const PAUSE_MS = 50;

/** Asks until the whole path answers or the patience is over. */
export async function awaitReady(settings: ReadySettings): Promise<Readiness> {
  const startMs = monotonicMs();
  const endMs = startMs + settings.patienceMs;
  const leftMs = () => Math.max(1, Math.min(ANSWER_WITHIN_MS, endMs - monotonicMs()));
  const connections = CONNECTIONS_PER_PROXY * Math.max(1, settings.proxies.length);
  let why: string | undefined;
  do {
    try {
      await Promise.all(Array.from({ length: connections }, () => askEveryShard(settings, leftMs())));
      if (settings.proxies.length > 0) await pause(STATISTICS_AGE_MS);
      const answeredByProxy: Record<string, Record<string, number>> = {};
      for (const proxy of settings.proxies) answeredByProxy[proxy.name] = await answeredBy(proxy, settings.shards, leftMs());
      return { ok: true, evidence: { afterMs: Math.round(monotonicMs() - startMs), connections, answeredByProxy } };
    } catch (thrown) {
      // A last round that was cut short by the end of the patience says less than the one before it.
      if (why === undefined || monotonicMs() < endMs) why = messageOf(thrown);
    }
    await pause(PAUSE_MS);
  } while (monotonicMs() < endMs);
  return { ok: false, why: `not ready after ${settings.patienceMs} ms: ${why}` };
}

/** Sets and gets one key of each shard over one connection. Throws naming the shard that did not answer. */
async function askEveryShard({ entry, shards, protocol: name = 'text', auth }: ReadySettings, withinMs: number): Promise<void> {
  const keys = keyOfEach(shards);
  const keyName = (shard: number) => keys[shard] as string;
  const protocol = memcachedProtocol(name, { keys: keys.length, keyName, sizes: () => 8, operations: ['set', 'get'], ...(auth ? { auth } : {}) });
  using exchanges = await exchangesWith(addressOf(entry, 'settings.entry'), protocol, withinMs);
  for (const [shard, shardName] of shards.entries()) {
    for (const [operation, [word, wanted]] of [
      ['set', 'done'],
      ['get', 'hit'],
    ].entries()) {
      const answer = await exchanges.ask(operation, shard).catch(messageOf);
      if (answer !== wanted) throw new Error(`shard ${shardName} did not answer a ${word} through ${entry}: ${answer}`);
    }
  }
}

/** One key for each shard, by the ring that the proxies use. */
function keyOfEach(shards: readonly string[]): string[] {
  const owner = ketama(shards);
  const keys: string[] = [];
  let missing = shards.length;
  for (let n = 0; missing > 0; n++) {
    const key = `ready:${n}`;
    const shard = owner(key);
    if (keys[shard] !== undefined) continue;
    keys[shard] = key;
    missing--;
  }
  return keys;
}

/** How many requests a proxy has seen answered, by server. Throws naming the server that has answered none. */
async function answeredBy(proxy: { name: string; stats: string }, shards: readonly string[], withinMs: number): Promise<Record<string, number>> {
  const pools = Object.values(await statistics(proxy, withinMs)).filter(
    (value): value is Record<string, unknown> => typeof value === 'object' && value !== null,
  );
  const answered: Record<string, number> = {};
  for (const shard of shards) {
    const counters = pools.map((pool) => pool[shard] as { requests: number; responses: number } | undefined).find((found) => found !== undefined);
    if (!counters) throw new Error(`${proxy.name} knows no server ${shard}`);
    if (!(counters.requests >= 1 && counters.responses >= 1))
      throw new Error(`${proxy.name} has no answer from ${shard} yet (${counters.requests} requests, ${counters.responses} responses)`);
    answered[shard] = counters.responses;
  }
  return answered;
}

/** twemproxy writes its statistics as one JSON object to whoever connects, and closes. */
function statistics({ name, stats }: { name: string; stats: string }, withinMs: number): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const { host, port } = addressOf(stats, `settings.proxies: ${name}`);
    const socket = connect({ host, port });
    let text = '';
    const timer = setTimeout(() => socket.destroy(new Error(`silent for ${Math.round(withinMs)} ms`)), withinMs);
    socket.setEncoding('utf8');
    socket.on('data', (part: string) => (text += part));
    socket.on('error', (error) => reject(new Error(`statistics of ${name} at ${stats}: ${messageOf(error)}`)));
    socket.on('close', () => {
      clearTimeout(timer);
      try {
        resolve(JSON.parse(text));
      } catch {
        reject(new Error(`statistics of ${name} at ${stats}: ${text === '' ? 'nothing came' : 'not JSON'}`));
      }
    });
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

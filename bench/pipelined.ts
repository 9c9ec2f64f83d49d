/**
 * Sixteen requests in flight on each of 50 connections, by the binary and the meta protocol, whose answers memcached sends together. memtier, mc-crusher and
 * mutilate speak no meta: both of our protocols are held against their binary one.
 */
import { CONNECTIONS, LONG_SECONDS, lookAtDriver, memcachedPeers, throughputTable } from './closed-loop.ts';
import type { Measurement } from './lib/bench.ts';
import { SERVER_CORE } from './lib/machine.ts';
import { Memcached } from './lib/memcached.ts';
import { type Contestant, interleave, ratio } from './lib/samples.ts';
import type { Target } from './lib/targets.ts';

const DEPTH = 16;
const PROTOCOLS = ['binary', 'meta'] as const;

interface Keys {
  readonly setting: string;
  readonly count: number;
}

const HOT: Keys = { setting: `${CONNECTIONS} connections, ${DEPTH} in flight, 100 hot keys`, count: 100 };
const DISTINCT: Keys = { setting: `${CONNECTIONS} connections, ${DEPTH} in flight, 10,000 distinct keys`, count: 10_000 };

const bare = (protocol: string): string => `aftershock ${protocol}, recording off`;
const recorded = (protocol: string): string => `aftershock ${protocol}, recording on`;

export const pipelined: Measurement = {
  name: 'pipelined',
  title: 'Sixteen requests in flight per connection',
  uses: ['memcached', 'memtier', 'mc-crusher', 'mutilate'],
  async measure(bench) {
    await using server = await Memcached.start({ core: SERVER_CORE, keys: DISTINCT.count });
    const contestants: Contestant[] = [];
    for (const { setting, count } of [HOT, DISTINCT]) {
      for (const protocol of PROTOCOLS) {
        for (const recording of ['off', 'on'] as const) {
          const name = recording === 'off' ? bare(protocol) : recorded(protocol);
          contestants.push({ setting, name, run: () => lookAtDriver(bench, server, { protocol, depth: DEPTH, keys: count, recording }) });
        }
      }
      const load = { port: server.port, connections: CONNECTIONS, depth: DEPTH, keys: count, binary: true, seconds: LONG_SECONDS };
      contestants.push(...(await memcachedPeers(bench, server, setting, load)));
    }
    return await interleave(contestants, bench.rounds, bench.onSample);
  },
  tell(samples) {
    const throughput = (protocol: string, { setting, count }: Keys, peer: string, bound: number): Target => ({
      what: `${DEPTH} in flight, ${protocol}, ${count.toLocaleString('en-US')} keys: throughput`,
      reach: `${bound} x ${peer}`,
      bound,
      side: 'at least',
      measured: ratio(samples, setting, bare(protocol), peer, 'opsPerSecond'),
      why: `${peer} not found`,
    });
    const recording = (protocol: string, { setting, count }: Keys): Target => ({
      what: `${DEPTH} in flight, ${protocol}, ${count.toLocaleString('en-US')} keys: throughput with full recording`,
      reach: '0.9 x without',
      bound: 0.9,
      side: 'at least',
      measured: ratio(samples, setting, recorded(protocol), bare(protocol), 'opsPerSecond'),
    });
    return {
      targets: PROTOCOLS.flatMap((protocol) => [
        throughput(protocol, HOT, 'memtier', 1.25),
        throughput(protocol, DISTINCT, 'memtier', 1),
        throughput(protocol, HOT, 'mc-crusher', 1),
        throughput(protocol, DISTINCT, 'mc-crusher', 1),
        recording(protocol, HOT),
        recording(protocol, DISTINCT),
      ]),
      text: [HOT, DISTINCT]
        .map(({ setting }) =>
          throughputTable(
            samples,
            setting,
            PROTOCOLS.map((protocol) => [bare(protocol), `our ${protocol} / this: requests/s`, 'opsPerSecond'] as const),
          ),
        )
        .join('\n\n'),
    };
  },
};

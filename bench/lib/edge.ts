/**
 * An edge for many connections: two HAProxies, because each holds two descriptors for a connection and a process often may have no more than 20,000; each
 * before a twemproxy of its own, and one memcached behind both. In containers, without Toxiproxy: what is measured is the generator.
 */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { EDGE_PORT, haproxy } from '../../containers/haproxy/index.ts';
import { IMAGES } from '../../containers/images.ts';
import { MEMCACHED_PORT, memcached } from '../../containers/memcached/index.ts';
import { TWEMPROXY_PORT, twemproxy } from '../../containers/twemproxy/index.ts';
import { startContainer } from '../../harness/cluster/container.ts';
import { connectEngine } from '../../harness/cluster/engine.ts';
import { findEngine } from '../../harness/cluster/engine-address.ts';
import { Ground } from '../../harness/cluster/ground.ts';
import { imageStates } from '../../harness/cluster/images.ts';
import { removeRun } from '../../harness/cluster/remains.ts';
import type { NodeSpec } from '../../harness/cluster/spec.ts';
import { EnvironmentError } from '../../harness/core/errors.ts';
import { whenEnding } from './clean-up.ts';

const PATIENCE_MS = 20_000;
/** For each shard beyond its part: checks of ours, and connections that are being closed. */
const SPARE_CONNECTIONS = 100;

export interface Edge extends AsyncDisposable {
  /** host:port of each shard, as this machine reaches it. */
  readonly entries: readonly string[];
}

/** Why no edge can be started here, in a few words; undefined when it can. */
export async function whyNoEdge(): Promise<string | undefined> {
  const address = await findEngine();
  if (address === undefined) return 'no container engine answers';
  if (!address.local || process.platform !== 'linux') return 'the containers of this engine cannot be reached by their addresses';
  const lacking = (await imageStates(address, IMAGES)).filter(({ tag, state }) => state !== 'ready' && /haproxy|twemproxy|memcached/.test(tag));
  return lacking.length > 0 ? `images are missing (${lacking.map(({ tag }) => tag).join(', ')}); type: npm run setup` : undefined;
}

/** Starts an edge of so many shards for so many connections over all. Throws EnvironmentError; nothing is left on the engine then. */
export async function startEdge(shards: number, connections: number): Promise<Edge> {
  const runId = `bench-${process.pid}-${Date.now().toString(36)}`;
  const engine = await connectEngine();
  const ground = new Ground(engine, runId, { intent: () => undefined, done: () => undefined });
  const remove = whenEnding(() => removeRun(engine, runId));
  try {
    await engine.docker.createNetwork({ Name: ground.network, Labels: ground.labels });
    const start = async (spec: NodeSpec, links: Readonly<Record<string, string>>): Promise<string> => {
      const files = Object.fromEntries(Object.entries(spec.files ?? {}).map(([path, text]) => [path, linked(text, links)]));
      return (await startContainer({ ...spec, files, memoryMiB: 1_024 }, ground.placement(spec.name))).address;
    };
    const cache = `${await start(memcached('mc-1'), {})}:${MEMCACHED_PORT}`;
    const entries: string[] = [];
    for (let shard = 1; shard <= shards; shard++) {
      const [proxy, edge] = [`proxy-${shard}`, `edge-${shard}`];
      const proxyAddress = await start(twemproxy(proxy, { servers: ['mc-1'], backlog: 4_096 }), { [`${proxy} -> mc-1`]: cache });
      const maxConnections = Math.ceil(connections / shards) + SPARE_CONNECTIONS;
      const edgeAddress = await start(haproxy(edge, { servers: [proxy], maxConnections }), { [`${edge} -> ${proxy}`]: `${proxyAddress}:${TWEMPROXY_PORT}` });
      entries.push(`${edgeAddress}:${EDGE_PORT}`);
    }
    for (const entry of entries) await answers(entry);
    return { entries, [Symbol.asyncDispose]: remove };
  } catch (thrown) {
    await remove();
    throw thrown;
  }
}

function linked(text: string, links: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{link:([^}]+)\}/g, (_, link: string) => {
    const address = links[link];
    if (address === undefined) throw new EnvironmentError(`the edge has no link '${link}'`);
    return address;
  });
}

/** Waits until a get through the whole path is answered. */
async function answers(entry: string): Promise<void> {
  const [host = '', port] = entry.split(':');
  const giveUpAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const heard = await new Promise<string>((resolve) => {
      const socket = connect({ host, port: Number(port) }, () => socket.write('get nothing\r\n'));
      const settle = (text: string): void => {
        socket.destroy();
        resolve(text);
      };
      socket.setTimeout(500, () => settle('silence'));
      socket.on('data', (bytes) => settle(bytes.toString('latin1')));
      socket.on('error', (error) => settle(error.message));
      socket.on('end', () => settle('closed'));
    });
    if (heard === 'END\r\n') return;
    if (performance.now() > giveUpAt) throw new EnvironmentError(`the edge at ${entry} does not answer within ${PATIENCE_MS / 1_000} s (${heard.trim()})`);
    await sleep(100);
  }
}

/** A whole cache tier in which clients and proxies dial by name, for the tests of faults of names; one cluster a file, taken down afterwards. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import { cache } from '../../../containers/cache.ts';
import { ketama } from '../../../containers/twemproxy/ketama.ts';
import { connectEngine, type Engine } from '../../cluster/engine.ts';
import { type RunningCluster, startCluster } from '../../cluster/start.ts';

export const NAMED = cache({ backends: 2, proxies: 1, clients: 2, proxyTimeout: '400ms', byName: 'client-*|proxy-* -> edge|mc-*' });

export interface Named {
  readonly cluster: RunningCluster;
  /** What a program of Node, run in a container of the cluster, says with `say`. */
  run(node: string, code: string): Promise<unknown>;
}

/** Call it at the top of a test file; what it answers with is filled before the first test. */
export function useNamedCluster(spec = NAMED): Named {
  const named = {} as { -readonly [K in keyof Named]: Named[K] };
  beforeAll(async () => {
    const engine = await connectEngine();
    const runId = `test-${randomBytes(4).toString('hex')}`;
    const quiet = () => undefined;
    named.cluster = await startCluster(spec, { engine, runId, signal: new AbortController().signal, journal: { intent: quiet, done: quiet } });
    named.run = (node, code) => runIn(engine, `aftershock-${runId}-${node}`, code);
  });
  afterAll(() => named.cluster?.stop());
  return named;
}

/** Runs a module whose last word is `say(...)`. It is killed then: an orderly end would wait for look-ups that are under way, up to 10 s. */
export async function runIn({ docker }: Engine, container: string, code: string): Promise<unknown> {
  const module = `const say = (what) => { process.stdout.write(JSON.stringify(what) + '\\n', () => process.kill(process.pid, 'SIGKILL')); };\n${code}`;
  const exec = await docker
    .getContainer(container)
    .exec({ Cmd: ['node', '--input-type=module', '-e', module], AttachStdout: true, AttachStderr: true, Tty: true });
  const stream = await exec.start({ hijack: true, Tty: true });
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece as Buffer);
  const text = Buffer.concat(pieces).toString('utf8');
  try {
    return JSON.parse(text);
  } catch (thrown) {
    throw new Error(`a program in ${container} said: ${text}`, { cause: thrown });
  }
}

const owner = ketama(['mc-1', 'mc-2']);
/** A key that the proxies keep in mc-2. */
export const WHO = Array.from({ length: 100 }, (_, n) => `who-${n}`).find((key) => owner(key) === 1) as string;

/** Dials as the load does, by our own wires, and asks for a key; says what came, or how it failed, and after how long. `patienceMs` is the client's own. */
export const dial = (name: string, patienceMs: number) => `
import { chooseWires } from '/aftershock/harness/load/wires/handle.ts';
const wires = await chooseWires('internal');
const began = performance.now();
const end = (how) => say({ how, ms: performance.now() - began });
setTimeout(() => end('timeout'), ${patienceMs});
const wire = wires.open({ host: '${name}.aftershock.test', port: 11211 }, {
  connected: () => wire.write(Buffer.from('get ${WHO}\\r\\n')),
  heard: (bytes, length) => end(bytes.toString('latin1', 0, length)),
  ended: () => end('ended'), drained: () => undefined, failed: end,
});`;

/** Sends a line to a memcached (or whoever speaks as one) at host:port, and says its answer. */
export const tell = (host: string, line: string) => `
import { connect } from 'node:net';
const socket = connect({ host: '${host}', port: 11211 }, () => socket.write(${JSON.stringify(line)}));
socket.on('error', (error) => say(error.code));
setTimeout(() => say('timeout'), 3000);
socket.on('data', (bytes) => say(bytes.toString()));`;

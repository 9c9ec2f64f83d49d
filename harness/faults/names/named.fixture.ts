/** A whole cache tier in which clients and proxies dial by name, for the tests of faults of names; one cluster a file, taken down afterwards. */
import { cache } from '../../../containers/cache.ts';
import { ketama } from '../../../containers/twemproxy/ketama.ts';

export const NAMED = cache({ backends: 2, proxies: 1, clients: 2, proxyTimeout: '400ms', byName: 'client-*|proxy-* -> edge|mc-*' });

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

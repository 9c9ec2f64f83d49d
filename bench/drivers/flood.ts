/**
 * Opens connections as fast as they are answered, and tells how long that took and what each takes of memory.
 *
 *   node --expose-gc bench/drivers/flood.ts --port P --count 16000 --openingAtOnce 128 --wire public|internal|best
 *
 * Prints one line of JSON, with the same figures as `bench/go-flood`.
 */

import { Opener } from './opener.ts';
import { fail, finish, optionsOf, protocolOf, wiresOf } from './setup.ts';

const options = optionsOf({ port: 'number', count: 'number', openingAtOnce: 'number', wire: 'text', keys: 'number' }, { wire: 'best', keys: '1' });
const { port, count, openingAtOnce, wire, keys } = options;
if (globalThis.gc === undefined) fail('run it with node --expose-gc');
const opener = new Opener({ address: { host: '127.0.0.1', port }, wires: await wiresOf(wire), protocol: protocolOf('text', keys), count, openingAtOnce });
globalThis.gc?.();
const rssBefore = process.memoryUsage.rss();
const cpu = process.cpuUsage();
const startedAt = performance.now();
await opener.openAll();
const ms = performance.now() - startedAt;
const { user, system } = process.cpuUsage(cpu);
globalThis.gc?.();
const opened = opener.open;
const rssBytesPerConnection = (process.memoryUsage.rss() - rssBefore) / opened;
opener.close();
finish({
  opened,
  failed: count - opened,
  ...(opener.firstShortage === undefined ? {} : { firstError: opener.firstShortage }),
  ms,
  connectionsPerSecond: (opened * 1_000) / ms,
  cpuUsPerConnection: (user + system) / opened,
  rssBytesPerConnection,
});

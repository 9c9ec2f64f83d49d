/**
 * Opens connections to one or several addresses, holds them for a while, and asks once more on each.
 *
 *   node --expose-gc bench/drivers/hold.ts --targets 127.0.0.1:11211,10.0.0.2:11211 --count 16384 --openingAtOnce 128 --seconds 5 [--wire best|public|internal]
 *
 * Prints one line of JSON.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Opener } from './opener.ts';
import { finish, optionsOf, protocolOf, wiresOf } from './setup.ts';

const PROOF_WITHIN_MS = 30_000;

const options = optionsOf({ targets: 'text', count: 'number', openingAtOnce: 'number', seconds: 'number', wire: 'text' }, { wire: 'best' });
const { targets, count, openingAtOnce, seconds, wire } = options;
const wires = await wiresOf(wire);
const protocol = protocolOf('text', 1);
const addresses = targets.split(',').map((target) => {
  const [host = '', port] = target.split(':');
  return { host, port: Number(port) };
});
// What does not come out even goes to the first ones.
const openers = addresses.map(
  (address, index) =>
    new Opener({
      address,
      wires,
      protocol,
      count: Math.floor(count / addresses.length) + (index < count % addresses.length ? 1 : 0),
      openingAtOnce: Math.ceil(openingAtOnce / addresses.length),
    }),
);
globalThis.gc?.();
const rssBefore = process.memoryUsage.rss();
const startedAt = performance.now();
await Promise.all(openers.map((opener) => opener.openAll()));
const openMs = performance.now() - startedAt;
const opened = openers.reduce((sum, { open }) => sum + open, 0);
globalThis.gc?.();
const rssBytesPerConnection = (process.memoryUsage.rss() - rssBefore) / opened;
await sleep(seconds * 1_000);
const proved = await Promise.all(openers.map((opener) => opener.proveAll(PROOF_WITHIN_MS)));
for (const opener of openers) opener.close();
const firstShortage = openers.map((opener) => opener.firstShortage).find((code) => code !== undefined);
finish({
  opened,
  openMs,
  shortages: openers.reduce((sum, { shortages }) => sum + shortages, 0),
  ...(firstShortage === undefined ? {} : { firstShortage }),
  stillAnswer: proved.reduce((sum, answered) => sum + answered, 0),
  rssBytesPerConnection,
});

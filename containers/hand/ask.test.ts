import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { ask, closeKept, kept, type Question } from './ask.ts';

const servers: net.Server[] = [];
afterEach(() => {
  closeKept('one');
  for (const server of servers.splice(0)) server.close();
});

/** Somebody who answers each piece that comes with a word, or with nothing. */
async function somebody(answer: string): Promise<number> {
  const server = net.createServer((socket) => socket.on('error', () => undefined).on('data', () => socket.write(answer)));
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const question = (port: number): Question => ({
  to: `127.0.0.1:${port}`,
  send: 'version\r\n',
  expect: 'VERSION',
  ends: '\n',
  connection: 'kept',
  keep: 'one',
  patienceMs: 200,
});

it('leaves nothing behind on a kept connection, however often it is asked', async () => {
  const port = await somebody('VERSION 1\r\n');
  const listeners = () => ['data', 'error', 'close'].map((event) => kept.get('one')?.listenerCount(event));
  expect((await ask(question(port))).kind).toBe('answered');
  const after = listeners();
  for (let asks = 0; asks < 20; asks++) expect((await ask(question(port))).kind).toBe('answered');
  expect(listeners()).toEqual(after);
});

it('tells a refusal with its code, and silence', async () => {
  const port = await somebody('');
  expect(await ask(question(port))).toMatchObject({ kind: 'silent' });
  servers.pop()?.close();
  expect(await ask(question(port))).toMatchObject({ kind: 'refused', code: 'ECONNREFUSED' });
});

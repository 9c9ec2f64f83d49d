import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseWires } from './handle.ts';

let server: Server;
let port: number;

beforeEach(async () => {
  server = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.address() as { port: number }).port;
});
afterEach(() => server.close());

/** What a wire to this host tells first, and what it hears when it says a word. */
const told = async (host: string, kind: 'internal' | 'public') => {
  const wires = await chooseWires(kind);
  return new Promise<string>((resolve) => {
    const settle = (what: string) => {
      wire.close();
      resolve(what);
    };
    const wire = wires.open(
      { host, port },
      {
        connected: () => void wire.write(Buffer.from('word')),
        heard: (bytes, length) => settle(bytes.toString('latin1', 0, length)),
        ended: () => settle('ended'),
        drained: () => undefined,
        failed: settle,
      },
    );
  });
};

describe.each(['internal', 'public'] as const)('the %s wire to a name', (kind) => {
  it('connects to what the name stands for', async () => {
    expect(await told('localhost', kind)).toBe('word');
  });

  it('fails as the look-up does when nobody knows the name', async () => {
    // Reserved for names that are not there (RFC 6761); without any name service it cannot be told.
    expect(await told('nobody.invalid', kind)).toMatch(/^(ENOTFOUND|EAI_AGAIN)$/);
  });
});

it('a wire that is closed while its name is looked up tells nothing and connects to nobody', async () => {
  let connections = 0;
  server.on('connection', () => connections++);
  const wires = await chooseWires('internal');
  const said: string[] = [];
  const say = (word: string) => () => void said.push(word);
  const events = { connected: say('connected'), heard: say('heard'), ended: say('ended'), drained: say('drained'), failed: say('failed') };
  wires.open({ host: 'localhost', port }, events).close();
  wires.open({ host: 'nobody.invalid', port }, events).reset();
  expect(await told('localhost', 'internal')).toBe('word');
  expect(said).toEqual([]);
  expect(connections).toBe(1);
});

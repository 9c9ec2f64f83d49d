/** What was pushed to a node, and a password that was changed, are the former ones again within ten seconds of the death of their run, reaper or no reaper. */
import { describe, expect, it } from 'vitest';
import { EDGE_PORT } from '../../../containers/haproxy/index.ts';
import { loginRequest } from '../../../containers/memcached/binary-requests.ts';
import { MEMCACHED_PORT } from '../../../containers/memcached/index.ts';
import { TWEMPROXY_PORT, TWEMPROXY_STATS_PORT } from '../../../containers/twemproxy/index.ts';
import { LEASE_LIMIT_MS, msUntil, useDoomed } from '../doomed.fixture.ts';

describe('configurations and a password, pushed by a harness that was killed', () => {
  const doomed = useDoomed('configuration');

  const addressOf = async (name: string) => Object.values((await doomed.container(name).inspect()).NetworkSettings.Networks)[0]?.IPAddress ?? '';
  /** What nodes answer to some bytes, each on a new connection from a client, until it closes or is silent for 300 ms; nothing where there is none. */
  const answers = async (questions: readonly (readonly [name: string, port: number, bytes: string | Buffer])[]): Promise<Buffer[]> => {
    const asked = await Promise.all(
      questions.map(async ([name, port, bytes]) => ({ host: (await addressOf(name)) || '127.0.0.1', port, base64: Buffer.from(bytes).toString('base64') })),
    );
    // The client serves nothing itself, so that nobody answers for one that has no address.
    const said = await doomed.run(
      'client-1',
      `
import { connect } from 'node:net';
const ask = ({ host, port, base64 }) => new Promise((resolve) => {
  const pieces = [];
  const socket = connect({ host, port }, () => socket.write(Buffer.from(base64, 'base64')));
  socket.setTimeout(300, () => socket.destroy());
  socket.on('data', (piece) => pieces.push(piece));
  socket.on('error', () => undefined);
  socket.on('close', () => resolve(Buffer.concat(pieces).toString('base64')));
});
say(await Promise.all(${JSON.stringify(asked)}.map(ask)));`,
    );
    return (said as string[]).map((base64) => Buffer.from(base64, 'base64'));
  };
  const login = (password: string) => ['mc-login', MEMCACHED_PORT, loginRequest({ user: 'app', password })] as const;
  /** Each by what its process does, not by its file alone. */
  const former = async (): Promise<string[]> => {
    const said = await answers([
      ['proxy-1', TWEMPROXY_STATS_PORT, ''],
      ['proxy-1', TWEMPROXY_PORT, 'version\r\n'],
      ['proxy-2', TWEMPROXY_PORT, 'version\r\n'],
      ['edge', EDGE_PORT, 'version\r\n'],
      login('secret'),
      login('another'),
    ]);
    const [statistics = '', ...versions] = said.map(String);
    const [one, two, edge] = versions.map((text) => text.startsWith('VERSION'));
    const [right, wrong] = said.slice(-2).map((bytes) => bytes.length >= 8 && bytes.readUInt16BE(6) === 0);
    return [
      one && statistics.includes('"mc-2"') && !statistics.includes('"mc-9"') ? 'started again' : '',
      two ? 'not come up' : '',
      edge ? 'reloaded' : '',
      right && !wrong ? 'password' : '',
    ].filter(Boolean);
  };
  const ALL = ['started again', 'not come up', 'reloaded', 'password'];

  it.each([['is killed', 'SIGKILL'] as const, ['stands still', 'SIGSTOP'] as const])(
    'are the former ones when the reaper is dead, too, and the harness %s',
    async (_how, signal) => {
      expect(await former()).toEqual([]);
      const addresses = await Promise.all(['proxy-1', 'edge'].map(addressOf));
      await doomed.kill('reaper');
      const at = doomed.end(signal);
      const ms = await msUntil(at, async () => (await former()).length === ALL.length);
      expect(await former()).toEqual(ALL);
      expect(ms).toBeLessThan(LEASE_LIMIT_MS);
      // Links lead to where they were.
      expect(await Promise.all(['proxy-1', 'edge'].map(addressOf))).toEqual(addresses);
    },
  );

  it('stay when the warden is dead, too', async () => {
    await doomed.kill('reaper', 'warden');
    doomed.end();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await former()).toEqual([]);
  });
});

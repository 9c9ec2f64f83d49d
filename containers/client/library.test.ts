import { describe, expect, it } from 'vitest';
import { InputError } from '../../harness/core/errors.ts';
import { bareCache, cache } from '../cache.ts';
import { type LibraryClientsOptions, libraryClients, withLibrary } from './library.ts';

const TYPICAL: LibraryClientsOptions = {
  library: 'memcached',
  rate: '500/s',
  connections: 10,
  mix: { get: '90%', set: '10%' },
  deadline: '1s',
  timeout: '250ms',
};

describe('libraryClients', () => {
  it('is a load of the node app-1 that talks to the edge about four shards, unless told otherwise', () => {
    expect(libraryClients(TYPICAL)).toEqual({
      name: 'app-1',
      node: 'app-1',
      title: '500/s by npm memcached over 10 connections, 90% get',
      program: {
        node: 'app-1',
        program: 'containers/client/library-main.ts',
        settings: {
          library: 'memcached',
          entry: '${link:app-1 -> edge}',
          name: 'app-1',
          tenant: 'everyone',
          arrivals: { kind: 'segments', spacing: 'even', segments: [{ kind: 'hold', ratePerSecond: 500 }] },
          keys: 2_000,
          keyChoice: { kind: 'uniform' },
          values: { kind: 'fixed', bytes: 100 },
          connections: 10,
          getShare: 0.9,
          deadlineMs: 1_000,
          timeoutMs: 250,
          shards: ['mc-1', 'mc-2', 'mc-3', 'mc-4'],
          restMs: 1_000,
          tries: 2,
        },
      },
      ratePerSecond: 500,
      requestsPerMinute: 30_000,
      connections: 10,
      // 2,000 names such as 'app-1:2000', 10 bytes.
      longestItemBytes: 110,
      memoryMiB: expect.closeTo((2_000 * (60 + 1.65 * 10)) / 2 ** 20, 9),
      pipelined: true,
      prepareMs: 10_200,
      longestRequestMs: 250,
      shards: ['mc-1', 'mc-2', 'mc-3', 'mc-4'],
    });
  });

  it('may take the longer to prepare the more keys there are to store', () => {
    expect(libraryClients({ ...TYPICAL, keys: 100 }).prepareMs).toBe(10_010);
    expect(libraryClients({ ...TYPICAL, keys: 1_000_000 }).prepareMs).toBe(110_000);
  });

  it('with memjs talks straight to a memcached, which owns all keys', () => {
    const load = libraryClients({ ...TYPICAL, library: 'memjs', name: 'login', tenant: 'b', tries: 1, auth: { user: 'app', password: 'secret' } });
    expect(load).toMatchObject({ name: 'login', title: '500/s by npm memjs over 10 connections, 90% get', shards: ['mc-1'] });
    expect(load.program.settings).toMatchObject({
      entry: '${link:app-1 -> mc-1}',
      tenant: 'b',
      tries: 1,
      auth: { user: 'app', password: 'secret' },
      shards: ['mc-1'],
    });
  });

  it.each<[string, object, string]>([
    ['another library', { library: 'redis' }, "libraryClients: library: 'redis' is not allowed; write 'memcached' or 'memjs'"],
    ['a mix that does not add up', { mix: { get: '90%' } }, 'mix: get 90% and set 0% add up to 90%, not to 100%'],
    ['another operation', { mix: { get: '90%', del: '10%' } }, "mix: unknown key 'del'; known: get, set"],
    ['too many connections', { connections: 1_001 }, 'connections: 1001 is not allowed; write a whole number from 1 to 1000'],
    ['a login with npm memcached', { auth: { user: 'u', password: 'p' } }, 'auth: not allowed with the library memcached; only memjs has it'],
    ['tries with npm memcached', { tries: 2 }, 'tries: not allowed with the library memcached; only memjs has it'],
    ['a rest with memjs', { library: 'memjs', rest: '1s' }, 'rest: not allowed with the library memjs; only memcached has it'],
    ['backends behind memjs', { library: 'memjs', backends: 4 }, 'backends: not allowed with the library memjs; only memcached has it'],
    ['half a login', { library: 'memjs', auth: { user: 'u' } }, 'auth.password: missing; write some text'],
    ['what only our own clients have', { onTimeout: 'fail' }, "unknown key 'onTimeout'; known: rate, arrivals, keys"],
    ['a timeout of nothing', { timeout: '0ms' }, "timeout: '0ms' is too short; write '1ms' or more"],
  ])('refuses %s in one line that names the key', (_, change, words) => {
    const act = () => libraryClients({ ...TYPICAL, ...change } as LibraryClientsOptions);
    expect(act).toThrow(InputError);
    expect(act).toThrow(words);
    expect(act).not.toThrow('\n');
  });
});

describe('withLibrary', () => {
  it('adds a client that has the packages beside its programs, and its link to the entry', () => {
    const before = cache({ backends: 2, proxies: 1 });
    const after = withLibrary(before, { entry: 'edge' });
    expect(after.nodes.slice(0, -1)).toEqual(before.nodes);
    expect(after.nodes.at(-1)).toMatchObject({ name: 'app-1', role: 'client' });
    expect(after.nodes.at(-1)?.sources).toEqual(
      expect.arrayContaining(['containers/client', 'node_modules/memcached', 'node_modules/memjs', 'node_modules/jackpot']),
    );
    expect(after.links).toEqual([...before.links, { from: 'app-1', to: 'edge', port: before.nodes.find(({ name }) => name === 'edge')?.port }]);
    expect(withLibrary(bareCache(), { node: 'app-2', entry: 'mc-1' }).links.at(-1)).toEqual({ from: 'app-2', to: 'mc-1', port: 11_211 });
  });

  it('refuses a node that is there, and an entry that is not', () => {
    expect(() => withLibrary(bareCache(), { node: 'client-1', entry: 'mc-1' })).toThrow("withLibrary: node 'client-1' is there already; give it another name");
    expect(() => withLibrary(bareCache(), { entry: 'edge' })).toThrow(/unknown entry 'edge'; known: mc-1/);
    expect(() => withLibrary(bareCache(), { entry: 'client-1' })).toThrow(InputError);
  });
});

import { describe, expect, it } from 'vitest';
import { InputError } from '../../harness/core/errors.ts';
import { type CacheClientsOptions, cacheClients } from './index.ts';

const TYPICAL: CacheClientsOptions = {
  rate: '2000/s',
  connections: 50,
  mix: { get: '90%', set: '10%' },
  deadline: '1s',
  timeout: '250ms',
  onTimeout: 'reconnect',
};

describe('cacheClients', () => {
  it('is a load of the client node that talks to the edge about four shards, unless told otherwise', () => {
    expect(cacheClients(TYPICAL)).toEqual({
      name: 'client-1',
      node: 'client-1',
      title: '2000/s over 50 connections, 90% get',
      program: {
        node: 'client-1',
        program: 'containers/client/main.ts',
        settings: {
          entry: '${link:client-1 -> edge}',
          name: 'client-1',
          tenant: 'everyone',
          ratePerSecond: 2_000,
          connections: 50,
          getShare: 0.9,
          keys: 2_000,
          valueBytes: 100,
          deadlineMs: 1_000,
          timeoutMs: 250,
          onTimeout: 'reconnect',
          shards: ['mc-1', 'mc-2', 'mc-3', 'mc-4'],
        },
      },
      ratePerSecond: 2_000,
      connections: 50,
      longestRequestMs: 1_250,
      shards: ['mc-1', 'mc-2', 'mc-3', 'mc-4'],
    });
  });

  it('takes other names, shards and a backoff', () => {
    const load = cacheClients({
      ...TYPICAL,
      name: 'greedy',
      node: 'client-2',
      entry: 'mc-1',
      backends: 1,
      tenant: 'b',
      mix: { get: '100%' },
      backoff: { first: '100ms', most: '5s', jitter: true },
    });
    expect(load.program.settings).toMatchObject({
      entry: '${link:client-2 -> mc-1}',
      name: 'greedy',
      tenant: 'b',
      getShare: 1,
      shards: ['mc-1'],
      backoff: { firstMs: 100, mostMs: 5_000, jitter: true },
    });
    expect(cacheClients({ ...TYPICAL, backends: 1, shards: ['cache-a', 'cache-b'] }).shards).toEqual(['cache-a', 'cache-b']);
  });

  it.each<[string, object, string]>([
    ['a mix that does not add up', { mix: { get: '90%', set: '20%' } }, 'cacheClients: mix: get 90% and set 20% add up to 110%, not to 100%'],
    ['another operation', { mix: { get: '90%', del: '10%' } }, "mix: unknown key 'del'; known: get, set"],
    ['an unknown option', { conections: 50 }, "unknown key 'conections'; known: rate, connections, mix"],
    ['a missing rate', { rate: undefined }, "rate: missing; write a rate, such as '2000/s'"],
    ['a rate without unit', { rate: '2000' }, "rate: '2000' is not a rate"],
    ['no connection', { connections: 0 }, 'connections: 0 is not allowed; write a whole number from 1 to 9000'],
    ['half a connection', { connections: 1.5 }, 'connections: 1.5 is not allowed; write a whole number from 1 to 9000'],
    ['too many keys', { keys: 1_000_001 }, 'keys: 1000001 is not allowed; write a whole number from 1 to 1000000'],
    ['too long values', { valueBytes: 1_000_001 }, 'valueBytes: 1000001 is not allowed; write a whole number from 0 to 1000000'],
    ['a timeout of nothing', { timeout: '0ms' }, "timeout: '0ms' is too short; write '1ms' or more"],
    ['a deadline without unit', { deadline: '1' }, "deadline: '1' is not a duration"],
    ['another way to act on timeouts', { onTimeout: 'retry' }, "onTimeout: 'retry' is not allowed; write 'fail' or 'reconnect'"],
    ['a backoff without jitter', { backoff: { first: '1s', most: '5s' } }, 'backoff.jitter: write true or false'],
    ['a name with a space', { name: 'a b' }, "name: 'a b' is not a name"],
  ])('refuses %s in one line that names the key', (_, change, words) => {
    const act = () => cacheClients({ ...TYPICAL, ...change } as CacheClientsOptions);
    expect(act).toThrow(InputError);
    expect(act).toThrow(words);
    expect(act).not.toThrow('\n');
  });
});

import { describe, expect, it } from 'vitest';
import { InputError } from '../../harness/core/errors.ts';
import { type CacheClientsOptions, type CacheWorkersOptions, cacheClients, cacheWorkers } from './index.ts';

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
          asking: { kind: 'schedule', arrivals: { kind: 'segments', spacing: 'even', segments: [{ kind: 'hold', ratePerSecond: 2_000 }] } },
          tenants: [{ name: 'everyone', share: 1, mix: { get: 0.9, set: 0.1 }, keys: 2_000, keyChoice: { kind: 'uniform' } }],
          values: { kind: 'fixed', bytes: 100 },
          protocol: 'text',
          connections: 50,
          depth: 1,
          deadlineMs: 1_000,
          timeoutMs: 250,
          onTimeout: 'reconnect',
          shards: ['mc-1', 'mc-2', 'mc-3', 'mc-4'],
        },
      },
      ratePerSecond: 2_000,
      requestsPerMinute: 120_000,
      connections: 50,
      // 2,000 names such as 'client-1:1999', 13 bytes: x (60 + 1.65 x 13) bytes in the client, x (100 + 13 + 59) in the caches.
      memoryMiB: expect.closeTo((2_000 * 81.45) / 2 ** 20, 9),
      storesMiB: expect.closeTo((2_000 * 172) / 2 ** 20, 9),
      longestItemBytes: 113,
      // get and set, on each shard and on no single one.
      series: 10,
      // 10 s and 0.1 ms a key to connect and store, 3 x (600 + 1,250) to rehearse, 3 s to open again what that has lost.
      prepareMs: 10_200 + 5_550 + 3_000,
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
      tenants: [{ name: 'b', share: 1, mix: { get: 1 } }],
      shards: ['mc-1'],
      backoff: { firstMs: 100, mostMs: 5_000, jitter: true },
    });
    expect(cacheClients({ ...TYPICAL, backends: 1, shards: ['cache-a', 'cache-b'] }).shards).toEqual(['cache-a', 'cache-b']);
  });

  it.each<[string, object, string]>([
    ['a mix that does not add up', { mix: { get: '90%', set: '20%' } }, 'cacheClients: mix: get 90% and set 20% add up to 110%, not to 100%'],
    ['another operation', { mix: { get: '90%', del: '10%' } }, "mix: unknown key 'del'; known: get, gets, multi-get, set, add,"],
    ['a mix of nothing', { mix: {} }, 'mix: nothing add up to 0%, not to 100%'],
    ['an operation that the protocol lacks', { mix: { noop: '100%' } }, "mix: the text protocol has no 'noop' here; it has get, gets, multi-get, set"],
    ['a login in text', { auth: { user: 'u', password: 'p' } }, "auth: the text protocol has no login here; write protocol: 'binary'"],
    ['numbers that are appended to', { mix: { incr: '50%', append: '50%' } }, 'mix: append and prepend would spoil the numbers that incr and decr count'],
    [
      'tenants whose shares do not add up',
      {
        tenants: [
          { name: 'a', share: '50%' },
          { name: 'b', share: '40%' },
        ],
      },
      'tenants: shares a 50%, b 40% do not add up to 100%',
    ],
    [
      'two tenants of one name',
      {
        tenants: [
          { name: 'a', share: '50%' },
          { name: 'a', share: '50%' },
        ],
      },
      "tenants: two are called 'a'",
    ],
    ['a tenant beside tenants', { tenant: 'x', tenants: [{ name: 'a', share: '100%' }] }, "tenant: 'x' and tenants are not allowed beside each other"],
    ['a tenant with a wrong mix', { tenants: [{ name: 'a', share: '100%', mix: { get: '10%' } }] }, 'tenants[0].mix: get 10% add up to 10%, not to 100%'],
    ['keys that are too long', { keyBytes: 251 }, 'keyBytes: 251 is not allowed; write a whole number from 1 to 250'],
    ['keys that are too short', { keyBytes: 12 }, 'keyBytes: 12 is too short for names such as these; write 13 to 250'],
    ['a multi-get of more keys than there are', { keys: 5, multiGet: 6, mix: { 'multi-get': '100%' } }, 'multiGet: 6 of 5 keys is not allowed'],
    ['more processes than connections', { connections: 2, processes: 3 }, 'processes: 3 cannot share 2 connections'],
    ['a retry that is none', { retry: { tries: 1, wait: 'none' } }, 'retry.tries: 1 is not allowed; write a whole number from 2 to 100'],
    [
      'a retry that waits for nothing known',
      { retry: { tries: 2, wait: '5s' } },
      "retry.wait: '5s' is not allowed; write 'none', { fixed: '50ms' } or { first: '50ms', most: '1s' }",
    ],
    ['a budget of nothing', { retry: { tries: 2, wait: 'none', budget: '0%' } }, "retry.budget: '0%' is not allowed"],
    ['another use of connections', { use: 'once' }, "use: 'once' is not allowed; write 'pooled', 'per-request', { for: '5s' } or { leak: '1%' }"],
    ['a leak of nothing', { use: { leak: '0%' } }, "use.leak: '0%' is not allowed"],
    ['a pipeline of nothing', { pipeline: 0 }, 'pipeline: 0 is not allowed; write a whole number from 1 to 1000'],
    [
      'hot keys that a tenant has not',
      { tenants: [{ name: 'a', share: '100%', keys: 10, keyChoice: { hot: 100, share: '90%' } }] },
      'tenants: a has 10 keys, of which fewer can be hot',
    ],
    ['reconnecting at once without a backoff', { reconnect: 'at once' }, "reconnect: 'at once' needs a backoff"],
    [
      'connections of one request that carry several',
      { use: 'per-request', pipeline: 4 },
      'use: a connection that carries several requests at a time is never free',
    ],
    ['an empty password', { protocol: 'binary', auth: { user: 'u', password: '' } }, "auth.password: '' is not allowed; write a password"],
    ['a rate of nothing', { rate: '0/s' }, "rate: '0/s'"],
    ['an unknown option', { conections: 50 }, "unknown key 'conections'; known: rate, arrivals, keys"],
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
    [
      'a first rest longer than the most',
      { backoff: { first: '5s', most: '1s', jitter: true } },
      "backoff.first: '5s' is longer than most, which is '1s'; write that or less",
    ],
    [
      'a first wait longer than the most',
      { retry: { tries: 3, wait: { first: '2s', most: '1s' } } },
      "retry.wait.first: '2s' is longer than most, which is '1s'; write that or less",
    ],
    ['several keys where nobody asks for several', { multiGet: 5 }, "multiGet: 5 is not allowed where nobody asks 'multi-get'; leave it out"],
    ['a shard that is named twice', { shards: ['mc-1', 'mc-2', 'mc-1'] }, "shards: 'mc-1' is named twice; name each node once"],
    ['a name with a space', { name: 'a b' }, "name: 'a b' is not a name"],
  ])('refuses %s in one line that names the key', (_, change, words) => {
    const act = () => cacheClients({ ...TYPICAL, ...change } as CacheClientsOptions);
    expect(act).toThrow(InputError);
    expect(act).toThrow(words);
    expect(act).not.toThrow('\n');
  });

  it('tells what the budget needs: the peak of its rate, the connections that it opens all the time, its processes', () => {
    const ramp = cacheClients({ ...TYPICAL, rate: [{ ramp: '100/s', to: '900/s', for: '5s' }, { hold: '300/s' }] });
    expect(ramp.ratePerSecond).toBe(900);
    expect(ramp.connectsPerSecond).toBeUndefined();
    expect(cacheClients({ ...TYPICAL, use: 'per-request' }).connectsPerSecond).toBe(2_000);
    expect(cacheClients({ ...TYPICAL, use: { for: '5s' } }).connectsPerSecond).toBe(10);
    expect(cacheClients({ ...TYPICAL, use: { leak: '1%' } })).toMatchObject({ connectsPerSecond: 20, connectsPerMinute: 1_200, leaks: true });
    // Bursts of 500 at 0, 10, ... 50 s: 3,000 in a minute, and 500 in a second.
    const bursts = cacheClients({ ...TYPICAL, rate: [{ burst: 500, every: '10s' }], use: 'per-request' });
    expect(bursts).toMatchObject({ connectsPerSecond: 500, connectsPerMinute: 3_000 });
    expect(cacheClients({ ...TYPICAL, processes: 3, pipeline: 16, pacing: 'exact' })).toMatchObject({ processes: 3, pipelined: true, exactPacing: true });
  });

  it('tells what it stores and holds: the longest value, the mean of all, every name of every tenant', () => {
    const load = cacheClients({
      ...TYPICAL,
      keyBytes: 250,
      valueBytes: [
        { bytes: 10, share: '90%' },
        { bytes: 1_000, share: '10%' },
      ],
      tenants: [
        { name: 'a', share: '50%', keys: 1_000 },
        { name: 'b', share: '50%', keys: 9_000, mix: { append: '100%' } },
      ],
    });
    expect(load).toMatchObject({ longestItemBytes: 1_250, series: 2 * 3 * 5 });
    // 0.9 x 10 + 0.1 x 1,000 = 109 bytes on the average.
    expect(load.storesMiB).toBeCloseTo((10_000 * (109 + 250 + 59)) / 2 ** 20, 9);
    // As measured: 444 MiB for a million names of 250 bytes.
    expect((load.memoryMiB ?? 0) * 100).toBeGreaterThan(444);
    expect((load.memoryMiB ?? 0) * 100).toBeLessThan(444 * 1.05);
  });

  it('tells of retries that have no budget', () => {
    const retries = (retry: CacheClientsOptions['retry']) => cacheClients({ ...TYPICAL, ...(retry && { retry }) }).mostRetries;
    expect(retries(undefined)).toBeUndefined();
    expect(retries({ tries: 100, wait: 'none' })).toBe(99);
    expect(retries({ tries: 100, wait: 'none', budget: '10%' })).toBeUndefined();
  });

  it('names the mix in its title', () => {
    const title = (change: object) => cacheClients({ ...TYPICAL, ...change } as CacheClientsOptions).title;
    expect(title({})).toBe('2000/s over 50 connections, 90% get');
    expect(title({ mix: { set: '100%' }, connections: 1 })).toBe('2000/s over 1 connection, 100% set');
    expect(title({ mix: { get: '80%', gets: '10%', cas: '10%' } })).toBe('2000/s over 50 connections, 80% get, 10% gets, 10% cas');
    expect(
      title({
        tenants: [
          { name: 'a', share: '50%' },
          { name: 'b', share: '50%' },
        ],
      }),
    ).toBe('2000/s over 50 connections, 2 tenants');
  });
});

describe('cacheWorkers', () => {
  const CROWD: CacheWorkersOptions = { workers: 1_500, thinks: '1s', mix: { get: '100%' }, deadline: '1s', timeout: '250ms', onTimeout: 'reconnect' };

  it('is a load of so many connections that asks at most as often as its workers can', () => {
    expect(cacheWorkers(CROWD)).toMatchObject({ title: '1500 workers thinking 1 s, 100% get', ratePerSecond: 1_500, connections: 1_500 });
    expect(cacheWorkers({ ...CROWD, batch: 4, thinks: '2s' })).toMatchObject({ ratePerSecond: 3_000, pipelined: true });
    expect(cacheWorkers({ ...CROWD, thinks: '0ms' }).ratePerSecond).toBe(130_000);
  });

  it.each<[string, object, string]>([
    ['nobody', { workers: 0 }, 'cacheWorkers: workers: 0 is not allowed; write a whole number from 1 to 9000'],
    ['a rate', { rate: '5/s' }, "unknown key 'rate'; known: keys, keyChoice"],
    ['a think without unit', { thinks: '1' }, "thinks: '1' is not a duration"],
    ['hot keys that there are not', { keys: 10, keyChoice: { hot: 10, share: '90%' } }, 'keyChoice.hot: 10 of 10 keys is not allowed'],
  ])('refuses %s in one line that names the key', (_, change, words) => {
    const act = () => cacheWorkers({ ...CROWD, ...change } as CacheWorkersOptions);
    expect(act).toThrow(InputError);
    expect(act).toThrow(words);
    expect(act).not.toThrow('\n');
  });
});

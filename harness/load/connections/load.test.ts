import { describe, expect, it } from 'vitest';
import { seeded } from '../../core/random.ts';
import { deafPort, words } from '../pool/pool.fixture.ts';
import { FarEnd } from './far-end.fixture.ts';
import { flood } from './flood.ts';
import { connectionLoad, shortage } from './load.ts';

const loadOn = (port: number, withinMs: number) =>
  connectionLoad({
    address: { host: '127.0.0.1', port },
    protocol: words,
    operation: 0,
    drawKey: () => 0,
    behaviour: flood({ atMs: 0, count: 1, openingAtOnce: 1 }),
    tenant: 'everyone',
    timeoutMs: 1_000,
    deadlineMs: 1_000,
    closeBy: 'fin',
    random: seeded(1),
    fill: { operation: 1, keys: 3, withinMs },
  });

describe('a load of connections', () => {
  it('stores what is asked for before it is prepared, trying again what fails', async () => {
    let tries = 0;
    await using far = await FarEnd.listen((seen, _, key) => {
      if (++tries === 2) seen.socket.resetAndDestroy();
      else seen.socket.write(`done ${key}\n`);
    });
    const prepared = await loadOn(far.port, 5_000).prepare();
    expect(prepared.connections).toBe(0);
    expect(far.seen.flatMap(({ requests }) => requests)).toEqual(['set 0', 'set 1', 'set 1', 'set 2']);
    prepared.close();
  });

  it.each([
    ['an error of the server', 'server 1\n', 'server'],
    ['something that is no answer', 'what\n', 'garbled'],
  ])('takes %s for a key that is not stored', async (_, refusal, trouble) => {
    let refusals = 1;
    await using far = await FarEnd.listen((seen, _operation, key) => {
      seen.socket.write(key === '1' && refusals-- > 0 ? refusal : `done ${key}\n`);
    });
    (await loadOn(far.port, 5_000).prepare()).close();
    expect(far.seen.flatMap(({ requests }) => requests)).toEqual(['set 0', 'set 1', 'set 1', 'set 2']);
    refusals = Number.POSITIVE_INFINITY;
    await expect(loadOn(far.port, 300).prepare()).rejects.toThrow(
      `the load could not store its keys: after 0.3 s, 1 of 3 were stored at 127.0.0.1:${far.port} (last trouble: ${trouble})`,
    );
  });

  it('says in one line what it could not store, and why', async () => {
    const port = await deafPort();
    await expect(loadOn(port, 300).prepare()).rejects.toThrow(
      `the load could not store its keys: after 0.3 s, 0 of 3 were stored at 127.0.0.1:${port} (last trouble: ECONNREFUSED)`,
    );
  });

  it('names what its own machine lacks, and what helps', () => {
    const load = { address: { host: '10.0.0.1', port: 11_211 }, closeBy: 'fin' } as const;
    expect(shortage('EMFILE', 1, load)).toBe(
      "with 1 connection open or opening, the client's own side could open no further one to 10.0.0.1:11211 (EMFILE): its process has as many open files as it may; fewer connections, or a higher limit (ulimit -n)",
    );
    expect(shortage('EADDRNOTAVAIL', 0, load)).toContain("or closeBy: 'reset', which keeps no port");
    expect(shortage('EADDRNOTAVAIL', 0, { ...load, closeBy: 'reset' })).not.toContain('closeBy');
    expect(shortage('ENOBUFS', 5, load)).toContain('its machine has no more of what a connection needs');
  });
});

/** Every fault ends within ten seconds of the death of its run, whatever died. */
import { describe, expect, it } from 'vitest';
import { findRemains } from '../cluster/remains.ts';
import { LEASE_LIMIT_MS, msUntil, useDoomed } from './doomed.fixture.ts';

/** Three kills a round: 200 of them, by `npm run test:kills`. */
const ROUNDS = Math.ceil(Number(process.env['AFTERSHOCK_KILLS'] ?? 3) / 3);

describe('faults of a harness that was killed', () => {
  const doomed = useDoomed('traffic');
  const toxics = () =>
    doomed.printed(
      'toxiproxy',
      'perl',
      '-MIO::Socket::INET',
      '-e',
      'my $s = IO::Socket::INET->new("127.0.0.1:8474"); print $s "GET /proxies HTTP/1.0\r\n\r\n"; print <$s>',
    );
  /** The rules in the namespace of mc-1, seen by somebody who came later. */
  const watching = async () => {
    const print = await doomed.watcher('mc-1');
    return () => print('nft', 'list', 'ruleset');
  };
  /** Established connections of mc-1: the flood's 50, and those of a few probes. */
  const connections = async () =>
    (await doomed.printed('mc-1', 'cat', '/proc/net/tcp', '/proc/net/tcp6')).split('\n').filter((line) => /^ *\d+: \S+:2BCB \S+ 01 /.test(line)).length;
  const remains = async () => (await findRemains(doomed.engine)).filter((run) => run.runId === doomed.runId);

  describe.each(Array.from({ length: ROUNDS }, (_, round) => round + 1))('round %i', () => {
    it('are gone with everything else when the reaper still lives, and so is the reaper', async () => {
      expect(await msUntil(doomed.end(), async () => (await remains()).length === 0)).toBeLessThan(LEASE_LIMIT_MS);
    });

    it('are gone when the reaper is dead, too, and the cluster still stands', async () => {
      const rules = await watching();
      expect(await toxics()).toContain('"toxics":[{');
      expect(await rules()).toContain('numgen');
      expect(await connections()).toBeGreaterThanOrEqual(50);
      await doomed.kill('reaper');
      const killedAt = doomed.end();
      // All within the same ten seconds: each is looked at beside the others.
      const ends = await Promise.all([
        msUntil(killedAt, async () => (await connections()) < 10),
        msUntil(killedAt, async () => !(await toxics()).includes('"toxics":[{')),
        msUntil(killedAt, async () => !(await rules()).includes('numgen')),
      ]);
      for (const ms of ends) expect(ms).toBeLessThan(LEASE_LIMIT_MS);
      expect(await toxics()).toContain('"enabled":true');
      expect((await doomed.container('mc-1').inspect()).State.Running).toBe(true);
    });

    it('have lost their hold when the sidecar is dead, too: the kernel has ended them', async () => {
      const rules = await watching();
      await doomed.kill('reaper', 'net-mc-1');
      const held = async () => /set lease \{[^}]*elements/.test(await rules());
      const killedAt = doomed.end();
      expect(await held()).toBe(true);
      const ends = await Promise.all([
        msUntil(killedAt, async () => !(await held())),
        msUntil(killedAt, async () => (await connections()) < 10),
        msUntil(killedAt, async () => !(await toxics()).includes('"toxics":[{')),
      ]);
      for (const ms of ends) expect(ms).toBeLessThan(LEASE_LIMIT_MS);
      // The rule is there, and asks for what is not.
      expect(await rules()).toContain('meta l4proto @lease');
    });
  });

  it('last as long as their harness lives, however often a lease has to be renewed', async () => {
    await new Promise((resolve) => setTimeout(resolve, 30_000));
    expect(await connections()).toBeGreaterThanOrEqual(50);
    expect(await toxics()).toContain('"toxics":[{');
    expect(await (await watching())()).toMatch(/set lease \{[^}]*elements/);
  });
});

/** Every fault ends within ten seconds of the death of its run, whatever died. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectEngine, type Engine } from '../cluster/engine.ts';
import { findRemains, removeRemains } from '../cluster/remains.ts';

const FIXTURE = new URL('./held.fixture.ts', import.meta.url).pathname;
const LEASE_LIMIT_MS = 10_000;

/** Three kills a round: 200 of them, by `npm run test:kills`. */
const ROUNDS = Math.ceil(Number(process.env['AFTERSHOCK_KILLS'] ?? 3) / 3);

describe('faults of a harness that was killed', () => {
  let engine: Engine;
  let runId: string;
  let harness: ChildProcess;

  beforeEach(async () => {
    engine = await connectEngine();
    runId = `test-${randomBytes(4).toString('hex')}`;
    harness = spawn(process.execPath, [FIXTURE, runId], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface({ input: harness.stdout as NonNullable<typeof harness.stdout> });
    const [line] = await Promise.race([once(lines, 'line'), once(harness, 'exit').then(() => ['it ended'])]);
    if (line !== 'in force') throw new Error(`the harness that was to be killed said: ${String(line)}`);
  });

  afterEach(async () => {
    harness.kill('SIGKILL');
    await removeRemains(engine, runId);
  });

  const container = (node: string) => engine.docker.getContainer(`aftershock-${runId}-${node}`);
  const kill = (node: string) => container(node).kill({ signal: 'SIGKILL' });

  /** What a program prints in a container of the run. */
  const printed = async (node: string, ...argv: string[]): Promise<string> => {
    const exec = await container(node).exec({ Cmd: argv, AttachStdout: true, AttachStderr: true });
    const stream = await exec.start({});
    const pieces: Buffer[] = [];
    for await (const piece of stream) pieces.push(piece as Buffer);
    return Buffer.concat(pieces).toString('latin1');
  };
  const toxics = () =>
    printed(
      'toxiproxy',
      'perl',
      '-MIO::Socket::INET',
      '-e',
      'my $s = IO::Socket::INET->new("127.0.0.1:8474"); print $s "GET /proxies HTTP/1.0\r\n\r\n"; print <$s>',
    );
  /** The rules in the namespace of mc-1, seen from a container that came later. */
  const rules = async () => {
    const looking = await engine.docker.createContainer({
      Image: 'aftershock/hand:1',
      Cmd: ['nft', 'list', 'ruleset'],
      Labels: { 'io.aftershock.run': runId },
      HostConfig: { NetworkMode: `container:aftershock-${runId}-mc-1`, CapDrop: ['ALL'], CapAdd: ['NET_ADMIN'] },
    });
    await looking.start();
    await looking.wait();
    const text = ((await looking.logs({ stdout: true, stderr: true })) as unknown as Buffer).toString('latin1');
    await looking.remove({ force: true });
    return text;
  };
  /** Established connections of mc-1: the flood's 50, and those of a few probes. */
  const connections = async () =>
    (await printed('mc-1', 'cat', '/proc/net/tcp', '/proc/net/tcp6')).split('\n').filter((line) => /^ *\d+: \S+:2BCB \S+ 01 /.test(line)).length;
  /** How long after a moment something is so, ms; infinite when it is not after the limit of a lease. */
  const msUntil = async (moment: number, what: () => Promise<boolean>): Promise<number> => {
    while (!(await what())) {
      if (performance.now() - moment > LEASE_LIMIT_MS) return Number.POSITIVE_INFINITY;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return performance.now() - moment;
  };
  const killHarness = (): number => {
    harness.kill('SIGKILL');
    return performance.now();
  };
  const remains = async () => (await findRemains(engine)).filter((run) => run.runId === runId);

  describe.each(Array.from({ length: ROUNDS }, (_, round) => round + 1))('round %i', () => {
    it('are gone with everything else when the reaper still lives, and so is the reaper', async () => {
      expect(await msUntil(killHarness(), async () => (await remains()).length === 0)).toBeLessThan(LEASE_LIMIT_MS);
    });

    it('are gone when the reaper is dead, too, and the cluster still stands', async () => {
      expect(await toxics()).toContain('"toxics":[{');
      expect(await rules()).toContain('numgen');
      expect(await connections()).toBeGreaterThanOrEqual(50);
      await kill('reaper');
      const killedAt = killHarness();
      // All within the same ten seconds: each is looked at beside the others.
      const ends = await Promise.all([
        msUntil(killedAt, async () => (await connections()) < 10),
        msUntil(killedAt, async () => !(await toxics()).includes('"toxics":[{')),
        msUntil(killedAt, async () => !(await rules()).includes('numgen')),
      ]);
      for (const ms of ends) expect(ms).toBeLessThan(LEASE_LIMIT_MS);
      expect(await toxics()).toContain('"enabled":true');
      expect((await container('mc-1').inspect()).State.Running).toBe(true);
    });

    it('have lost their hold when the sidecar is dead, too: the kernel has ended them', async () => {
      await kill('reaper');
      await kill('net-mc-1');
      const held = async () => /set lease \{[^}]*elements/.test(await rules());
      const killedAt = killHarness();
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
    await new Promise((resolve) => setTimeout(resolve, 15_000));
    expect(await connections()).toBeGreaterThanOrEqual(50);
    expect(await toxics()).toContain('"toxics":[{');
    expect(await rules()).toMatch(/set lease \{[^}]*elements/);
  });
});

/** What was taken of a node's resources is given back within ten seconds of the death of its run, reaper or no reaper. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectEngine, type Engine } from '../../cluster/engine.ts';
import { removeRemains } from '../../cluster/remains.ts';
import { Resident } from '../../cluster/resident.ts';

const FIXTURE = new URL('./held.fixture.ts', import.meta.url).pathname;
const LEASE_LIMIT_MS = 10_000;

describe('resources taken by a harness that was killed', () => {
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

  const container = (name: string) => engine.docker.getContainer(`aftershock-${runId}-${name}`);

  /** What of the node is still taken, by what its kernel does and the engine knows. */
  const taken = async (): Promise<string[]> => {
    const { Id, HostConfig } = await container('mc-1').inspect();
    const resident = new Resident(engine.docker, Id, 'mc-1');
    const [disk, files, burners, written] = [
      await resident.measure(['disk', '/var/log/aftershock']),
      await resident.measure(['descriptors']),
      await resident.measure(['burners', '5']),
      await resident.measure(['write', '/', '200000']),
    ];
    const cpu = await resident.measure(['cpu', '1', '100']);
    return [
      disk['write'] === 'written' ? '' : 'disk',
      (files['processes'] as { soft: number }[]).every(({ soft }) => soft === 1_024) ? '' : 'descriptors',
      (burners['burners'] as unknown[]).length === 0 ? '' : 'burners',
      Number(written['wallUs']) < 100_000 ? '' : 'writes',
      cpu['throttled'] === 0 ? '' : 'processors',
      HostConfig.Memory === 128 * 2 ** 20 ? '' : 'memory',
    ].filter(Boolean);
  };
  const ALL = ['disk', 'descriptors', 'burners', 'writes', 'processors', 'memory'];
  const given = async (limitMs: number): Promise<string[]> => {
    const limit = performance.now() + limitMs;
    for (;;) {
      const left = await taken();
      if (left.length === 0 || performance.now() > limit) return left;
    }
  };

  it('are given back when the reaper is dead, too, and the node goes on', async () => {
    expect(await taken()).toEqual(ALL);
    const { State: before } = await container('mc-1').inspect();
    await container('reaper').kill({ signal: 'SIGKILL' });
    harness.kill('SIGKILL');
    expect(await given(LEASE_LIMIT_MS)).toEqual([]);
    expect((await container('mc-1').inspect()).State.Pid).toBe(before.Pid);
  });

  it('are given back of one that stands still, too, whose reaper is dead', async () => {
    await container('reaper').kill({ signal: 'SIGKILL' });
    harness.kill('SIGSTOP');
    // The last word may have been said just now; and to look takes some tenths of a second.
    expect(await given(LEASE_LIMIT_MS)).toEqual([]);
  });

  it('leave nothing but limits when every program that holds them is killed as well', async () => {
    await Promise.all(['reaper', 'warden', 'cgroups'].map((name) => container(name).kill({ signal: 'SIGKILL' })));
    // Those within the node: by their parents, which are none of the node's.
    const exec = await container('mc-1').exec({ Cmd: ['perl', '-e', KILL_HOLDERS], User: 'root', AttachStdout: true });
    for await (const _ of await exec.start({}));
    harness.kill('SIGKILL');
    await expect.poll(taken, { timeout: LEASE_LIMIT_MS }).toEqual(['descriptors', 'writes', 'processors', 'memory']);
  });
});

const KILL_HOLDERS = `for (glob '/proc/[0-9]*/stat') {
  open my $file, '<', $_ or next;
  my ($pid, $name, $parent) = <$file> =~ /^(\\d+) \\((.*)\\) \\S (\\d+)/;
  kill 'KILL', $pid if $name eq 'perl' && $parent == 0 && $pid != $$;
}`;

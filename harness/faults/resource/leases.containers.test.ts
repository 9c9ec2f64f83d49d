/** What was taken of a node's resources is given back within ten seconds of the death of its run, reaper or no reaper. */
import { describe, expect, it } from 'vitest';
import { Resident } from '../../cluster/resident.ts';
import { LEASE_LIMIT_MS, useDoomed } from '../doomed.fixture.ts';

describe('resources taken by a harness that was killed', () => {
  const doomed = useDoomed('resources');

  /** What of the node is still taken, by what its kernel does and the engine knows. */
  const taken = async (): Promise<string[]> => {
    const { Id, HostConfig } = await doomed.container('mc-1').inspect();
    const resident = new Resident(doomed.engine.docker, Id, 'mc-1');
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
    const { State: before } = await doomed.container('mc-1').inspect();
    await doomed.kill('reaper');
    doomed.end();
    expect(await given(LEASE_LIMIT_MS)).toEqual([]);
    expect((await doomed.container('mc-1').inspect()).State.Pid).toBe(before.Pid);
  });

  it('are given back of one that stands still, too, whose reaper is dead', async () => {
    await doomed.kill('reaper');
    doomed.end('SIGSTOP');
    // The last word may have been said just now; and to look takes some tenths of a second.
    expect(await given(LEASE_LIMIT_MS)).toEqual([]);
  });

  it('leave nothing but limits when every program that holds them is killed as well', async () => {
    await doomed.kill('reaper', 'warden', 'cgroups');
    // Those within the node: by their parents, which are none of the node's.
    await doomed.printed('mc-1', 'perl', '-e', KILL_HOLDERS);
    doomed.end();
    await expect.poll(taken, { timeout: LEASE_LIMIT_MS }).toEqual(['descriptors', 'writes', 'processors', 'memory']);
  });
});

const KILL_HOLDERS = `for (glob '/proc/[0-9]*/stat') {
  open my $file, '<', $_ or next;
  my ($pid, $name, $parent) = <$file> =~ /^(\\d+) \\((.*)\\) \\S (\\d+)/;
  kill 'KILL', $pid if $name eq 'perl' && $parent == 0 && $pid != $$;
}`;

/** A fault whose watchdog alone was killed, in the node, is said to have lost it, and is healed by another program. */
import { describe, expect, it } from 'vitest';
import { bareCache } from '../../containers/cache.ts';
import type { Disturbance } from '../cluster/types.ts';
import { useCluster } from './cluster.fixture.ts';

const standing = useCluster(bareCache({ skewable: 'client-1' }));

/** Kills what was started with such a word in a node, by a program of the engine's, and waits until it is gone. */
async function killIn(node: string, word: string): Promise<void> {
  const exec = await standing.container(node).exec({ Cmd: ['perl', '-e', KILL, word], User: 'root', AttachStdout: true, Tty: true });
  const pieces: Buffer[] = [];
  for await (const piece of await exec.start({ Tty: true })) pieces.push(piece as Buffer);
  expect(Buffer.concat(pieces).toString()).toBe('1');
}

const KILL = `my $count = 0; for (glob '/proc/[0-9]*/cmdline') { my ($pid) = /(\\d+)/; next if $pid == $$; open my $file, '<', $_ or next; local $/;
  next unless index((<$file> // '') =~ tr/\\0/ /r, $ARGV[0]) >= 0; kill 'KILL', $pid; $count++ } print $count;`;

/** Until it has been heard that its program has ended. */
const lost = async (disturbance: Disturbance) => {
  await expect.poll(() => disturbance.missing(), { timeout: 3_000 }).toBeDefined();
  return disturbance.missing();
};

describe('a watchdog that was killed in its node', () => {
  const softs = async () => ((await standing.cluster.node('mc-1').measure('descriptors'))['processes'] as { soft: number }[]).map(({ soft }) => soft);
  const offsetMs = async () => Math.abs(await standing.cluster.node('client-1').clockOffsetMs());

  it('leaves a limit on descriptors, which healing puts back', async () => {
    const before = await softs();
    const limited = await standing.cluster.node('mc-1').limitDescriptors(60);
    expect(new Set(await softs())).toEqual(new Set([60]));
    await killIn('mc-1', 'descriptors 60');
    expect(await lost(limited)).toMatch(/^what holds the descriptors of mc-1 ended/);
    expect(new Set(await softs())).toEqual(new Set([60]));
    await limited.undo();
    expect(await softs()).toEqual(before);
  });

  it('leaves limits that are gone with the process that had them', async () => {
    const node = standing.cluster.node('mc-1');
    const before = await softs();
    const limited = await node.limitDescriptors(60);
    await (await node.kill()).undo();
    await lost(limited);
    await limited.undo();
    expect(await softs()).toEqual(before);
  });

  it('leaves a clock wrong, and it is said that it is; healing puts it right', async () => {
    const skewed = await standing.cluster.node('client-1').skewClock(3_600);
    await expect.poll(offsetMs, { timeout: 3_000 }).toBeGreaterThan(3_599_000);
    expect(await skewed.missing()).toBeUndefined();
    await killIn('client-1', 'skew.sh');
    expect(await lost(skewed)).toMatch(/^what holds the clock of client-1 ended: .*; the clock of client-1 is still wrong$/);
    expect(await offsetMs()).toBeGreaterThan(3_599_000);
    await skewed.undo();
    expect(await skewed.missing()).toBe('the clock of client-1 is right again');
    await expect.poll(offsetMs, { timeout: 3_000 }).toBeLessThan(500);
  });

  it('is not needed to see that somebody else has put the clock right', async () => {
    const skewed = await standing.cluster.node('client-1').skewClock(3_600);
    const exec = await standing.container('client-1').exec({ Cmd: ['rm', '/dev/shm/aftershock-clock'], User: 'root' });
    await exec.start({ Detach: true });
    expect(await lost(skewed)).toBe('the clock of client-1 is right again');
    await skewed.undo();
  });
});

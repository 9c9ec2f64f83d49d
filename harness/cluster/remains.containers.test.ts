/** What is left of dead runs, and of reapers that were killed. */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tools } from '../../containers/tools.ts';
import { connectEngine, type Engine } from './engine.ts';
import { OWNER_LABEL, RUN_LABEL, thisOwner } from './labels.ts';
import { Reaper } from './reaper.ts';
import { removeRemains, sweep } from './remains.ts';

let engine: Engine;
let runId: string;
beforeEach(async () => {
  engine = await connectEngine();
  runId = `test-${randomBytes(4).toString('hex')}`;
});
afterEach(() => removeRemains(engine, runId));

const IMAGE = 'aftershock/base:bookworm';

describe('the start of a run', () => {
  it('tells what a dead run has left that cannot be removed, and goes on', async () => {
    // Nothing has this start time: a process that is long gone.
    const Labels = { [RUN_LABEL]: runId, [OWNER_LABEL]: JSON.stringify({ ...thisOwner(), start: 'none' }) };
    const network = await engine.docker.createNetwork({ Name: `aftershock-${runId}-network`, Labels });
    const foreign = await engine.docker.createContainer({ Image: IMAGE, Cmd: ['sleep', '60'], HostConfig: { NetworkMode: network.id } });
    try {
      await foreign.start();
      expect(await sweep(engine)).toContainEqual(expect.stringMatching(new RegExp(`^what a dead run had left stays: run ${runId} .*active endpoints`)));
      expect((await foreign.inspect()).State.Running).toBe(true);
    } finally {
      await foreign.remove({ force: true });
    }
    expect(await sweep(engine)).toContain(`removed what a dead run had left: run ${runId}: aftershock-${runId}-network`);
  });
});

describe('a reaper', () => {
  const start = () => Reaper.start({ engine, runId, tool: tools.reaper, label: `${RUN_LABEL}=${runId}`, keeps: true });
  const there = async () => (await engine.docker.listContainers({ all: true, filters: { name: [`aftershock-${runId}-reaper`] } })).length;

  it('that was killed can be dismissed as any other, and its container goes', async () => {
    const reaper = await start();
    await engine.docker.getContainer(`aftershock-${runId}-reaper`).kill();
    await expect.poll(async () => (await engine.docker.getContainer(`aftershock-${runId}-reaper`).inspect()).State.Running).toBe(false);
    await reaper.dismiss();
    expect(await there()).toBe(0);
  });

  it('looks again when it is told to, and leaves', async () => {
    const reaper = await start();
    await reaper.lookAgain();
    await reaper.dismiss();
    expect(await there()).toBe(0);
  });
});

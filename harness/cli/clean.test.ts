import { describe, expect, it } from 'vitest';
import type { RunRemains } from '../cluster/remains.ts';
import { chosen } from './clean.ts';

const run = (runId: string, alive: boolean, kept: boolean): RunRemains => ({ runId, alive, kept, containers: [], networks: [] });
const ids = (runs: readonly RunRemains[]) => runs.map(({ runId }) => runId);

describe('aftershock clean', () => {
  const runs = [run('dead', false, false), run('going', true, false), run('kept', false, true), run('disturbed', true, true)];

  it('takes dead runs, and leaves clusters that stand on purpose, whose owner has ended as it should', () => {
    const { going, said } = chosen(runs, {});
    expect(ids(going)).toEqual(['dead']);
    expect(said).toEqual([
      "2 clusters stand on purpose and are left alone; 'npx aftershock down --all' removes them",
      "1 run is still going on and left alone; '--all' removes it too",
    ]);
  });

  it('takes everything when it is told to', () => {
    expect(chosen(runs, { all: true })).toEqual({ going: runs, said: [] });
  });

  it('says so when there is nothing, and what stands', () => {
    expect(chosen([], {}).said).toEqual(['nothing to clean']);
    expect(chosen([run('kept', false, true)], {}).said).toEqual([
      'nothing to clean',
      "1 cluster stands on purpose and is left alone; 'npx aftershock down' removes it",
    ]);
  });
});

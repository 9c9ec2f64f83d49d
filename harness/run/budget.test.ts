import { describe, expect, it } from 'vitest';
import { budgetOf, refuseOverBudget } from './budget.ts';
import { planRun } from './plan.ts';
import { loadScenario } from './scenario.ts';

const room = { memoryMiB: 24_000, networksLeft: 30, networksUsed: 1 };

describe('a budget', () => {
  it('counts every container and its memory', async () => {
    const budget = budgetOf(planRun(await loadScenario('slow-node'), { seed: 1 }));
    // 8 nodes, Toxiproxy, and a hand beside each of the two proxies; 4 x 128 + 3 x 256 + 512 for the nodes, 512 for Toxiproxy, 2 x 128 for the hands.
    expect(budget).toMatchObject({ containers: 11, memoryMiB: 512 + 768 + 512 + 512 + 256, networks: 1 });
  });

  it('refuses more memory than the engine has, and shows the arithmetic', async () => {
    const budget = budgetOf(planRun(await loadScenario('slow-node'), { seed: 1 }));
    expect(() => refuseOverBudget(budget, room)).not.toThrow();
    expect(() => refuseOverBudget(budget, { ...room, memoryMiB: 2_000 })).toThrow(
      /needs up to 2560 MiB of memory \(the sum of its 11 containers' limits\) and the engine has 2000 MiB/,
    );
  });

  it('refuses a network more than the engine has room for', async () => {
    const budget = budgetOf(planRun(await loadScenario('slow-node'), { seed: 1 }));
    expect(() => refuseOverBudget(budget, { ...room, networksLeft: 0, networksUsed: 31 })).toThrow(/room for 0 more \(31 of 31 in use\)/);
  });
});

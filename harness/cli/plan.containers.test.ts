/** `aftershock plan` beside a real engine: the sums of a plan, what the engine has, and a refusal in one line with exit code 3. */
import { afterAll, describe, expect, it } from 'vitest';
import { tools } from '../../containers/tools.ts';
import { connectEngine } from '../cluster/engine.ts';
import { lookInside } from '../cluster/look.ts';
import { aftershock, temporaryFolder } from './spawned.fixture.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

const scenario = (name: string, load: string) =>
  folder.file(
    `${name}.ts`,
    `import { drill, percentile } from 'aftershock';
import { bareCache, cacheClients } from 'aftershock/containers';
export default drill({
  id: '${name}', story: 'x', duration: '10s', steps: [],
  load: [${load}],
  slos: { steady: percentile(90, { under: '25ms', when: 'before' }) },
  variants: { only: { title: 'x', cluster: bareCache() } },
});
`,
  );

const clients = (rate: number, connections: number) =>
  `cacheClients({ rate: '${rate}/s', connections: ${connections}, mix: { get: '100%' }, backends: 1, entry: 'mc-1', deadline: '1s', timeout: '250ms', onTimeout: 'fail' })`;

describe('aftershock plan', () => {
  it('shows what the plan needs, sum by sum, and what there is', async () => {
    const { code, stdout, stderr } = await aftershock(['plan', 'slow-node']).finished;
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const { hardDescriptors } = await lookInside(await connectEngine(), tools.hand.image);
    for (const line of [
      /^ {2}processors +about 0\.\d\d: load 'client-1' 0\.\d\d, Toxiproxy 0\.\d\d, /m,
      /^ {2}descriptors 114 in load 'client-1': 50 connections \+ 64 of its own$/m,
      /^ +291 in Toxiproxy: \(2 x 50 \+ 8\) connections x 2 descriptors \+ 75 of its own$/m,
      /^ {2}ports +50 from Toxiproxy to edge/m,
      /^ {2}tracked +216 connections/m,
      new RegExp(`^ {2}container +${hardDescriptors.toLocaleString('en-US')} descriptors for a process`, 'm'),
    ])
      expect(stdout).toMatch(line);
    expect(stdout).not.toContain('warning:');
  });

  it('warns of what it does not refuse', async () => {
    const { code, stdout } = await aftershock(['plan', scenario('crowded', clients(100, 1_200))]).finished;
    expect(stdout).toContain('\nwarning: 1,200 connections arrive at mc-1, and it takes 1,024 at once\n');
    expect(code).toBe(0);
  });

  it('refuses more than there is in one line, after it has shown all sums; a run does so before it starts anything', async () => {
    // 8 x 35 processors' worth, of requests that cost 8 us in the client, 19 us in Toxiproxy and 8 us in the cache: more than engines have.
    const path = scenario('too-much', Array.from({ length: 8 }, (_, index) => clients(1_000_000, 1).replace('({', `({ name: 'load-${index}',`)).join(', '));
    const plan = await aftershock(['plan', path, '--json']).finished;
    const run = await aftershock(['run', path, '--out', folder.path]).finished;
    for (const { code, stderr } of [plan, run]) {
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(stderr).toMatch(
        /the plan needs about \d+\.\d\d cores \(load 'load-0' 1,000,000\/s x 8 us = 8\.\d\d, .*\) and the engine has \d+; ask for fewer requests/,
      );
      expect(code).toBe(3);
    }
    expect(JSON.parse(plan.stdout)).toMatchObject({ budget: { cores: expect.any(Array) }, warnings: expect.any(Array) });
    expect(run.stdout).toBe('');
  });
});

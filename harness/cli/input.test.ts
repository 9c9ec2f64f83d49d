/** Bad input: one clear line that names the key and the allowed values, exit code 2, and no engine asked. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { aftershock, temporaryFolder } from './spawned.fixture.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

/** An engine that answers nobody: a command that asks it before it has read its input ends with 3, not with 2. */
const NO_ENGINE = { DOCKER_HOST: 'tcp://127.0.0.1:1' };

const HEAD = `import { down, drill, incident, kill, latency, pause, percentile, recovery, ripple, silence } from 'aftershock';
import { bareCache, cache, cacheClients } from 'aftershock/containers';
const load = [cacheClients({ rate: '100/s', connections: 5, mix: { get: '100%' }, backends: 1, entry: 'mc-1', deadline: '1s', timeout: '250ms', onTimeout: 'fail' })];
`;

/** A whole scenario, in which one thing can be put in the place of another. */
function scenario(name: string, changes: Record<string, string>): string {
  const parts: Record<string, string> = {
    id: `'bad'`,
    story: `'a story'`,
    duration: `'10s'`,
    load: 'load',
    steps: `[{ at: '3s', for: '2s', fault: latency('client-1 -> mc-1', '100ms') }]`,
    slos: `{ steady: percentile(90, { under: '25ms', when: 'before' }) }`,
    variants: `{ only: { title: 'only', cluster: bareCache() } }`,
    ...changes,
  };
  const body = Object.entries(parts).map(([key, value]) => `  ${key}: ${value},`);
  return folder.file(`${name}.ts`, `${HEAD}export default drill({\n${body.join('\n')}\n} as never);\n`);
}

let results = 0;

/** A result folder with this for its plan. */
function result(plan: string): string {
  const path = join(folder.path, `result-${++results}`);
  mkdirSync(path);
  writeFileSync(join(path, 'plan.json'), plan);
  return path;
}

const step = (fault: string, at = '3s', lasts = '2s') => `{ at: '${at}', for: '${lasts}', fault: ${fault} }`;
const onLink = (delay: string) => `latency('client-1 -> mc-1', '${delay}')`;

const CASES: readonly [string, readonly string[], RegExp][] = [
  ['an unknown scenario', ['run', 'slow-nod'], /unknown scenario 'slow-nod'; did you mean 'slow-node'\? known: .*scripted-outage/],
  ['no scenario', ['run'], /scenario: none given; write one of slow-node/],
  ['a scenario file that is not there', ['run', 'nowhere/else.ts'], /no scenario file at nowhere\/else\.ts/],
  ['an unknown variant', ['run', 'slow-node', '--variant', 'ejekt'], /unknown variant 'ejekt'; did you mean 'eject'\? known: as-it-happened, eject/],
  ['an unknown flag', ['run', 'slow-node', '--varaint', 'eject'], /unknown option '--varaint'.*--variant/],
  ['an unknown command', ['rnu', 'slow-node'], /unknown command 'rnu'.*run, list, plan/],
  ['a seed below zero', ['run', 'slow-node', '--seed', '-1'], /--seed: '-1' is not allowed; write a whole number from 0 to 4294967295/],
  ['a seed that is no number', ['run', 'slow-node', '--seed', 'x'], /--seed: 'x' is not allowed/],
  ['an empty variant', ['run', 'slow-node', '--variant', ''], /empty value ''; write a name/],
  ['a variant that only its prototype knows', ['plan', 'slow-node', '--variant', 'constructor'], /unknown variant 'constructor'/],
  [
    'an ejection after less than one failure',
    ['run', scenario('eject', { variants: `{ only: { title: 'x', cluster: cache({ backends: 1, proxies: 1, eject: { after: -3, retryIn: '5s' } }) } }` })],
    /eject\.after: -3 is not allowed; write a whole number from 1 to 1000/,
  ],
  [
    'a cluster that is none',
    ['run', scenario('nocluster', { variants: `{ only: { title: 'x', cluster: { title: 'x' } } }` })],
    /variants\.only\.cluster.*nodes/,
  ],
  [
    'a part of a millisecond',
    ['run', scenario('fraction', { steps: `[${step(onLink('12.5ms'))}]` })],
    /steps\[0\]\.fault\.delay: '12\.5ms' is not a whole number of milliseconds/,
  ],
  ['a plan that is none', ['recheck', result('null')], /plan\.json has format undefined; this version reads format 1/],
  ['half a plan', ['recheck', result('{"format":1}')], /plan\.json is not a whole plan: 'load' is missing/],
  [
    'a misspelt option of a cluster',
    ['plan', scenario('misspelt', { variants: `{ only: { title: 'x', cluster: cache({ backends: 1, proxies: 1, proxyTimeOut: '60ms' }) } }` })],
    /unknown option of cache 'proxyTimeOut'; did you mean 'proxyTimeout'/,
  ],
  [
    'a misspelt option of an ejection',
    ['plan', scenario('afer', { variants: `{ only: { title: 'x', cluster: cache({ backends: 1, proxies: 1, eject: { afer: 3, retryIn: '5s' } }) } }` })],
    /unknown option of eject 'afer'; did you mean 'after'/,
  ],
  [
    'a moral of a variant that is not there',
    ['plan', scenario('moral', { moral: `'{onyl.steady}'` })],
    /unknown variant in the moral's '\{onyl\.steady\}': 'onyl'; known: only/,
  ],
  ['no repetition', ['run', 'slow-node', '--repeat', '0'], /--repeat: '0' is not allowed; write a whole number from 1 to 1000/],
  ['a tag with blanks', ['run', 'slow-node', '--tag', 'a b'], /--tag: 'a b' is not allowed/],
  ['a result folder that is not there', ['recheck', 'results/nothing'], /no result folder at results\/nothing/],
  ['a folder that is no result', ['recheck', 'harness'], /harness is not a result folder: it has no plan\.json/],
  ['a file for a result folder', ['report', 'package.json'], /package\.json is not a result folder: it is a file/],
  [
    'a delay below zero',
    ['run', scenario('negative', { steps: `[${step(onLink('-1s'))}]` })],
    /steps\[0\]\.fault\.delay: '-1s' is not a duration; write a number and a unit/,
  ],
  ['a delay without a unit', ['run', scenario('unitless', { steps: `[${step(onLink('100'))}]` })], /steps\[0\]\.fault\.delay: '100' is not a duration/],
  ['an absurd delay', ['run', scenario('absurd', { steps: `[${step(onLink('99999h'))}]` })], /steps\[0\]\.fault\.delay: '99999h' is longer than a day/],
  ['an absurd duration', ['run', scenario('long', { duration: `'99999h'` })], /duration: '99999h' is longer than a day/],
  ['a duration too short to judge', ['run', scenario('short', { duration: `'1s'` })], /duration: '1s' is too short to be judged; write 3 s or more/],
  [
    'a step beyond the end',
    ['run', scenario('late', { steps: `[${step(onLink('100ms'), '9s', '5s')}]` })],
    /steps\[0\]: ends at 14 s, after the load's end at 10 s/,
  ],
  ['a step too soon to see what is normal', ['run', scenario('soon', { steps: `[${step(onLink('100ms'), '0s')}]` })], /steps\[0\]\.at: '0s' leaves no time/],
  [
    'a link that is not there',
    ['run', scenario('nolink', { steps: `[${step(`silence('proxy-1 -> mc-9')`)}]` })],
    /steps\[0\]\.fault\.link: no link fits 'proxy-1 -> mc-9'; known: client-1 -> mc-1/,
  ],
  [
    'a link that is none',
    ['run', scenario('nonlink', { steps: `[${step(`down('mc-1')`)}]` })],
    /steps\[0\]\.fault\.link: 'mc-1' is not a link; write 'from -> to'/,
  ],
  [
    'a node that is not there',
    ['run', scenario('nonode', { steps: `[${step(`kill('mc-7')`)}]` })],
    /steps\[0\]\.fault\.node: no node fits 'mc-7'; known: mc-1/,
  ],
  ['a node that cannot be probed', ['run', scenario('mute', { steps: `[${step(`pause('client-1')`)}]` })], /'client-1' cannot be probed/],
  [
    'an unknown fault',
    ['run', scenario('nofault', { steps: `[${step(`{ kind: 'latencie', link: 'client-1 -> mc-1' }`)}]` })],
    /steps\[0\]\.fault.*latency.*silence.*down.*kill.*pause/,
  ],
  [
    'an unknown key',
    ['run', scenario('nokey', { steps: `[{ at: '3s', for: '2s', fault: ${onLink('1s')}, until: '4s' }]` })],
    /steps\[0\]: unknown 'until'; known: at, when, by, for,/,
  ],
  [
    'an unknown key of a fault',
    ['run', scenario('nofield', { steps: `[${step(`{ kind: 'loss', on: 'mc-1', share: '10%', direction: 'in', dir: 'in' }`)}]` })],
    /steps\[0\]\.fault: unknown 'dir'; known: kind, on, peer, port, share, direction/,
  ],
  [
    'faults that exclude each other',
    ['run', scenario('overlap', { steps: `[${step(onLink('100ms'))}, ${step(`silence('client-1 -> mc-1')`, '4s')}]` })],
    /steps: 'latency 100ms on client-1 -> mc-1' and 'silence on client-1 -> mc-1' overlap on client-1 -> mc-1/,
  ],
  [
    'a promise of a missing phase',
    ['run', scenario('nofaults', { steps: '[]', slos: `{ back: recovery({ within: '1s', from: 'healed', to: 'baseline' }) }` })],
    /back: speaks of a fault, and the scenario has no step/,
  ],
  [
    'a miss that is no promise',
    ['run', scenario('nomiss', { variants: `{ only: { title: 'x', cluster: bareCache(), misses: ['stedy'] } }` })],
    /variants\.only\.misses.*'stedy'; did you mean 'steady'/,
  ],
  [
    'a load of no client',
    ['run', scenario('noclient', { load: `[{ ...load[0], node: 'client-9' }]` })],
    /client node in load .* 'client-9'; did you mean 'client-1'/,
  ],
  [
    'a scenario that throws',
    ['run', folder.file('throws.ts', `throw new Error('first line\\nsecond line');\n`)],
    /throws\.ts does not load: first line second line/,
  ],
  ['a scenario that is no TypeScript', ['run', folder.file('broken.ts', 'export default {{{')], /broken\.ts does not load: /],
  [
    'a file without a default export',
    ['run', folder.file('none.ts', 'export const x = 1;\n')],
    /none\.ts has no default export; write 'export default incident/,
  ],
  ['a default export that is no scenario', ['run', folder.file('other.ts', `export default 'hello';\n`)], /other\.ts: scenario: .*object/],
  [
    'a cluster with no backend',
    ['run', scenario('nobackend', { variants: `{ only: { title: 'x', cluster: cache({ backends: 0, proxies: 1 }) } }` })],
    /backends: 0 is not allowed; write a whole number from 1 to 150/,
  ],
];

// Each is a process of its own, and several start at once on few processors.
describe.concurrent('bad input', { timeout: 60_000 }, () => {
  it.each(CASES)('%s is one line and exit code 2', async (_, args, line) => {
    const { code, stdout, stderr } = await aftershock(args, NO_ENGINE).finished;
    expect(stderr).toMatch(line);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });

  it('shows the stack where it is asked for', async () => {
    const { stderr } = await aftershock(['run', 'nothing', '--verbose'], NO_ENGINE).finished;
    expect(stderr).toMatch(/\n\s+at /);
  });

  it('is told from a machine without an engine, which is exit code 3', async () => {
    const { code, stderr } = await aftershock(['run', 'scripted-outage'], NO_ENGINE).finished;
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toMatch(/engine/);
    expect(code).toBe(3);
  });
});

import { describe, expect, it } from 'vitest';
import { InputError } from '../../harness/core/errors.ts';
import { httpService } from '../http/index.ts';
import { IMAGES, K6_IMAGE } from '../images.ts';
import { stagesOf } from './adapter/schedule.ts';
import type { K6Settings } from './adapter/settings.ts';
import { wrapperOf } from './adapter/wrapper.ts';
import { type K6LoadOptions, k6Client, k6Load } from './index.ts';

const TYPICAL: K6LoadOptions = { script: 'scenarios/k6/get.ts', rate: '200/s', preAllocatedVUs: 40, deadline: '1s', timeout: '2s', entry: 'web-1' };

describe('k6Load', () => {
  it('is a load of the client node that carries the text of its script', () => {
    const { program, ...load } = k6Load(TYPICAL);
    expect(load).toEqual({
      name: 'client-1',
      node: 'client-1',
      title: '200/s by k6 with 40 VUs, get.ts',
      ratePerSecond: 200,
      requestsPerMinute: 12_000,
      connections: 40,
      memoryMiB: 70 + 40 * 0.227,
      longestRequestMs: 4_000,
      shards: ['web-1'],
    });
    expect(program).toMatchObject({ node: 'client-1', program: 'containers/k6/adapter/main.ts' });
    const { files, ...settings } = program.settings as K6Settings;
    expect(settings).toEqual({
      entry: '${link:client-1 -> web-1}',
      script: 'script/get.ts',
      segments: [{ kind: 'hold', ratePerSecond: 200 }],
      preAllocatedVUs: 40,
      maxVUs: 40,
      deadlineMs: 1_000,
      timeoutMs: 2_000,
      longestMs: 3_000,
      operations: [],
      shard: 'web-1',
      tenant: 'everyone',
      environment: {},
    });
    expect(files['script/get.ts']).toContain('export default function');
  });

  it('takes ramps, operations, variables and a longest iteration, and waits a minute for a request where nothing else is said', () => {
    const load = k6Load({
      ...TYPICAL,
      rate: [{ ramp: '10/s', to: '500/s', for: '5s' }, { hold: '500/s' }],
      maxVUs: 100,
      longest: '8s',
      operations: ['search', 'buy'],
      environment: { SIZE: '3' },
      tenant: 'b',
      name: 'shoppers',
      node: 'client-2',
    });
    expect(load).toMatchObject({ name: 'shoppers', ratePerSecond: 500, connections: 100, longestRequestMs: 9_000 });
    expect(load.title).toBe('10/s to 500/s over 5 s, then 500/s by k6 with 100 VUs, get.ts');
    expect(load.program.settings).toMatchObject({
      longestMs: 8_000,
      operations: ['search', 'buy'],
      environment: { SIZE: '3' },
      tenant: 'b',
      entry: '${link:client-2 -> web-1}',
    });
    const { timeout: _, ...without } = TYPICAL;
    expect(k6Load(without).program.settings).toMatchObject({ timeoutMs: 60_000, longestMs: 61_000 });
  });

  it.each<[string, object, string]>([
    ['an unknown option', { vus: 3 }, "k6Load: options: unknown key 'vus'; known: script, rate, preAllocatedVUs"],
    ['no script', { script: undefined }, "script: missing; write the path of a script, such as 'scenarios/k6/get.ts'"],
    ['a script that is not there', { script: 'scenarios/k6/nope.ts' }, "k6Load: script: there is no file 'scenarios/k6/nope.ts'"],
    ['a rate without unit', { rate: '200' }, "rate: '200' is not a rate"],
    ['a burst', { rate: [{ burst: 5, every: '1s' }] }, "rate: a burst cannot be planned with k6; write '1000/s', or segments of hold and ramp"],
    ['a recording', { rate: { replay: [0, 1, 2] } }, 'rate: a recording cannot be planned with k6'],
    ['no VU', { preAllocatedVUs: 0 }, 'preAllocatedVUs: 0 is not allowed; write a whole number from 1 to 5000'],
    ['fewer VUs than are made', { maxVUs: 10 }, 'maxVUs: 10 is less than preAllocatedVUs, which is 40'],
    ['a deadline without unit', { deadline: '1' }, "deadline: '1' is not a duration"],
    ['an iteration shorter than a request', { longest: '1s' }, 'longest: 1s is less than timeout, which is 2s'],
    ['an operation twice', { operations: ['a', 'a'] }, "operations: 'a' is there twice"],
    ['the operation of all others', { operations: ['iteration'] }, "operations: 'iteration' is what all others are called"],
    ['a variable of ours', { environment: { ENTRY: 'x' } }, "environment: 'ENTRY' is not allowed; write a name of letters"],
    ['a variable of k6', { environment: { K6_VUS: '3' } }, "environment: 'K6_VUS' is not allowed"],
    ['a variable that is no text', { environment: { SIZE: 3 } }, 'environment.SIZE: write text'],
    ['no entry', { entry: undefined }, "entry: missing; write the name of a node, such as 'web-1'"],
  ])('refuses %s in one line that names the key', (_, change, words) => {
    const act = () => k6Load({ ...TYPICAL, ...change } as K6LoadOptions);
    expect(act).toThrow(InputError);
    expect(act).toThrow(words);
    expect(act).not.toThrow('\n');
  });
});

describe('what k6 is told', () => {
  const wrapper = wrapperOf({ ...(k6Load(TYPICAL).program.settings as K6Settings), stages: stagesOf([{ kind: 'hold', ratePerSecond: 200 }], 1_000), seed: 7 });

  it('is the whole plan of the load, and nothing that judges', () => {
    const options = JSON.parse(/^export const options = (.*);$/m.exec(wrapper)?.[1] ?? 'null');
    expect(options.scenarios).toEqual({
      load: {
        executor: 'ramping-arrival-rate',
        startRate: 99_900_000,
        timeUnit: '1000000s',
        stages: [
          { target: 99_900_000, duration: '10000000ns' },
          { target: 200_000_000, duration: '0ns' },
          { target: 200_000_000, duration: '1000000000ns' },
          { target: 0, duration: '0ns' },
          { target: 0, duration: '1000000000ns' },
        ],
        preAllocatedVUs: 40,
        maxVUs: 40,
        gracefulStop: '3000ms',
      },
    });
    expect(Object.keys(options).sort()).toEqual(['scenarios', 'setupTimeout', 'systemTags']);
  });

  it('is the script, with a seed for each of its VUs', () => {
    expect(wrapper).toContain('import * as script from "./script/get.ts";');
    expect(wrapper).toContain('randomSeed(7 + __VU * 1000003);');
    expect(wrapper).toContain('export default script.default;');
  });
});

describe('the nodes', () => {
  it('of a service are asked through a link, by a client that has k6', () => {
    const { nodes, links, title } = httpService({ answersAfter: '500ms' });
    expect(title).toBe('an HTTP service that answers after 500ms');
    expect(nodes.map(({ name, role, image }) => [name, role, image])).toEqual([
      ['web-1', 'service', 'aftershock/node:24'],
      ['client-1', 'client', K6_IMAGE],
    ]);
    expect(nodes[0]?.command.at(-1)).toBe('{"port":8080,"answerMs":500}');
    expect(links).toEqual([{ from: 'client-1', to: 'web-1', port: 8_080 }]);
  });

  it('refuse what they do not know', () => {
    expect(() => httpService({ delay: '1s' } as object)).toThrow("unknown option of httpService 'delay'; known: answersAfter");
    expect(() => httpService({ answersAfter: '2m' })).toThrow("answersAfter: '2m' is longer than a minute; '60s' at most");
    expect(() => httpService({ answersAfter: 'soon' as '1s' })).toThrow("answersAfter: 'soon' is not a duration");
  });

  it('that have k6 use the image that a set-up makes when it is asked to', () => {
    const image = IMAGES.find(({ tag }) => tag === k6Client('client-1').image);
    expect(image).toMatchObject({ onDemand: true, upstream: 'grafana/k6:1.8.1' });
  });
});

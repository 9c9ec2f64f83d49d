/**
 * The file that k6 runs: it brings our options to the script that somebody wrote, and a gate before the first iteration.
 *
 * The script's own options never come into force, because k6 reads those of the file that it runs; a script that has some is refused,
 * so that nobody waits for a threshold that does not judge. Its `setup` is run before the gate.
 */
import { InputError } from '../../../harness/core/errors.ts';
import { type Stages, TIME_UNIT_S } from './schedule.ts';

/** The name of k6's scenario: samples of it are those of the load, all others are of `setup`. */
export const SCENARIO = 'load';
/** Where the script asks to be let in: an environment variable that it does not see under this name by accident. */
export const GATE_VARIABLE = 'AFTERSHOCK_GATE';

/** A harness that connects other clients first may take a while; longer than this and it is gone. */
const GATE_PATIENCE_S = 600;

/** What a script may export beside helpers, and what it may not: k6 would act on these, and here they would be dead letters. */
export const REFUSED_EXPORTS: Readonly<Record<string, string>> = {
  options: "the load is planned by k6Load's rate, preAllocatedVUs and maxVUs, and promises judge it",
  teardown: 'a run ends with its last iteration',
  handleSummary: 'the report is made of the timeline',
};

export interface WrapperOptions {
  /** Path of the script beside the wrapper. */
  readonly script: string;
  readonly stages: Stages;
  readonly preAllocatedVUs: number;
  readonly maxVUs: number;
  readonly longestMs: number;
  readonly seed: number;
}

/** Why a script cannot be run that exports this. */
export function refusedExport(name: string): InputError {
  return new InputError(`exports '${name}', which never comes into force here: ${REFUSED_EXPORTS[name]}; take it out`);
}

/** The text of the file that k6 runs. */
export function wrapperOf({ script, stages, preAllocatedVUs, maxVUs, longestMs, seed }: WrapperOptions): string {
  const options = {
    scenarios: {
      [SCENARIO]: {
        executor: 'ramping-arrival-rate',
        startRate: stages.startRate,
        timeUnit: `${TIME_UNIT_S}s`,
        stages: stages.stages.map(({ target, durationNs }) => ({ target, duration: `${durationNs}ns` })),
        preAllocatedVUs,
        maxVUs,
        gracefulStop: `${longestMs}ms`,
      },
    },
    setupTimeout: `${GATE_PATIENCE_S + 60}s`,
    // What `samples.ts` reads, and no more: a sample is a line.
    systemTags: ['scenario', 'status', 'error', 'error_code', 'check', 'vu'],
  };
  const refused = Object.keys(REFUSED_EXPORTS).map((name) => [name, refusedExport(name).message]);
  return [
    `import * as script from ${JSON.stringify(`./${script}`)};`,
    "import http from 'k6/http';",
    "import { randomSeed, sleep } from 'k6';",
    `export const options = ${JSON.stringify(options)};`,
    `for (const [name, why] of ${JSON.stringify(refused)}) if (name in script) throw new Error(why);`,
    `if (typeof script.default !== 'function') throw new Error("has no default export that is a function; write 'export default function () { ... }'");`,
    // k6 counts the VUs from 1, and each draws from a stream of its own.
    `randomSeed(${seed} + __VU * ${SEED_STEP});`,
    'export async function setup() {',
    '  const data = script.setup ? await script.setup() : undefined;',
    `  const answer = http.get(__ENV.${GATE_VARIABLE}, { timeout: '${GATE_PATIENCE_S}s', responseType: 'text' });`,
    "  if (answer.status !== 200) throw new Error('was not let in: the program beside k6 is gone');",
    '  const startMs = Number(answer.body);',
    // Slept to 20 ms before, for a sleep may last longer; the rest is waited for by looking at the clock.
    '  sleep(Math.max(0, startMs - Date.now() - 20) / 1000);',
    '  while (Date.now() < startMs);',
    '  return data;',
    '}',
    'export default script.default;',
    '',
  ].join('\n');
}

/** Any large odd number: the streams of runs with successive seeds must not be each other's, one VU further on. */
const SEED_STEP = 1_000_003;

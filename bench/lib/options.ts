/**
 * The words after `npm run bench --`.
 */
import { parseArgs } from 'node:util';
import { InputError, messageOf, unknownName } from '../../harness/core/errors.ts';

export interface Options {
  /** Measurements by name; empty for all that do not have to be named. */
  readonly names: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly minutes: number;
  readonly quick: boolean;
  /** Whether missing peers may be installed. */
  readonly install: boolean;
  readonly without: readonly string[];
  readonly help: boolean;
}

export const USAGE = `npm run bench -- [MEASUREMENT...] [options]

  --rounds N          how often each contestant takes its turn (default 5)
  --seconds S         how long each is looked at per round (default 2)
  --quick             one short round, to see that everything runs; nothing is written down
  --minutes N         how long the soak goes on (default 30)
  --peers auto        install peers that package registries have (default)
  --peers installed   use what is here, install nothing
  --without NAME      do without a peer; may be given several times
`;

const KNOWN = {
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  minutes: { type: 'string' },
  quick: { type: 'boolean' },
  peers: { type: 'string' },
  without: { type: 'string', multiple: true },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Throws InputError in one line that names the option and what is allowed. */
export function readOptions(
  args: readonly string[],
  measurements: readonly string[],
  peers: readonly string[],
  setUp = process.env['AFTERSHOCK_SETUP'],
): Options {
  const { values, positionals } = parsed(args);
  const quick = values.quick === true;
  for (const name of positionals) if (!measurements.includes(name)) throw unknownName('measurement', name, measurements);
  const without = (values.without ?? []).flatMap((names) => names.split(','));
  for (const name of without) if (!peers.includes(name)) throw unknownName('peer', name, peers);
  const choice = values.peers ?? (setUp === 'never' ? 'installed' : 'auto');
  if (choice !== 'auto' && choice !== 'installed') throw new InputError(`--peers: '${choice}' is not known; allowed: auto, installed`);
  return {
    names: positionals,
    rounds: number('rounds', values.rounds, quick ? 1 : 5, 1, 100),
    seconds: number('seconds', values.seconds, quick ? 1 : 2, 1, 60),
    minutes: number('minutes', values.minutes, 30, 1, 600),
    quick,
    install: choice === 'auto',
    without,
    help: values.help === true,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: KNOWN, allowPositionals: true, strict: true });
  } catch (thrown) {
    throw new InputError(
      `${messageOf(thrown)}; known options: ${Object.keys(KNOWN)
        .map((name) => `--${name}`)
        .join(', ')}`,
      { cause: thrown },
    );
  }
}

function number(name: string, given: string | undefined, otherwise: number, least: number, most: number): number {
  if (given === undefined) return otherwise;
  const value = Number(given);
  if (given.trim() === '' || !(value >= least && value <= most) || !Number.isInteger(value)) {
    throw new InputError(`--${name}: '${given}' is not allowed; write a whole number from ${least} to ${most}`);
  }
  return value;
}

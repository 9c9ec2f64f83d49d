/**
 * Many connections held open from one process, each proved when it was opened and again when it has been held for a while: directly, and through an edge of
 * two shards. What counts is that nothing runs out on the generator's side.
 */
import { type Bench, lastLine, type Measurement, startDriver } from './lib/bench.ts';
import { startEdge, whyNoEdge } from './lib/edge.ts';
import { SERVER_CORE } from './lib/machine.ts';
import { Memcached } from './lib/memcached.ts';
import { type Contestant, type Figures, interleave, type Sample, spread } from './lib/samples.ts';
import { spreadText, table } from './lib/table.ts';
import type { Target } from './lib/targets.ts';

const DIRECT = 18_000;
const THROUGH_EDGE = 16_384;
const SHARDS = 2;
const OPENING_AT_ONCE = 128;
const HOLD_SECONDS = 5;
const PATIENCE_MS = 120_000;
/** Holding either succeeds or it does not; the containers of the edge take their time. */
const ROUNDS = 2;

const OURS = 'aftershock';
const directly = `${DIRECT.toLocaleString('en-US')} directly`;
const throughEdge = `${THROUGH_EDGE.toLocaleString('en-US')} through the edge, ${SHARDS} shards`;

interface HoldResult {
  readonly opened: number;
  readonly openMs: number;
  /** Errors of connect that tell of limits of the generator's own machine. */
  readonly shortages: number;
  readonly firstShortage?: string;
  /** Proved again at the end. */
  readonly stillAnswer: number;
  readonly rssBytesPerConnection: number;
}

export const held: Measurement = {
  name: 'held',
  title: 'Connections held',
  uses: ['memcached'],
  async measure(bench) {
    const contestants: Contestant[] = [
      {
        setting: directly,
        name: OURS,
        rounds: ROUNDS,
        run: async () => {
          await using server = await Memcached.start({ core: SERVER_CORE, connections: DIRECT, keys: 1 });
          return await hold(bench, [`127.0.0.1:${server.port}`], DIRECT);
        },
      },
    ];
    const why = await whyNoEdge();
    if (why === undefined) {
      contestants.push({
        setting: throughEdge,
        name: OURS,
        rounds: ROUNDS,
        run: async () => {
          await using edge = await startEdge(SHARDS, THROUGH_EDGE);
          return await hold(bench, edge.entries, THROUGH_EDGE);
        },
      });
    } else {
      bench.say(`'${throughEdge}' is left out: ${why}`);
    }
    return interleave(contestants, bench.rounds, bench.onSample);
  },
  tell(samples) {
    const target = (setting: string, what: string, figure: string, reach: string, bound: number, side: Target['side']): Target => ({
      what: `connections held: ${setting}: ${what}`,
      reach,
      bound,
      side,
      measured: spread(samples, setting, OURS, figure),
      text: (value) => value.toLocaleString('en-US'),
      why: 'it takes a container engine and the images (npm run setup)',
    });
    const both: [string, number][] = [
      [directly, DIRECT],
      [throughEdge, THROUGH_EDGE],
    ];
    return {
      targets: both.flatMap(([setting, count]) => [
        target(setting, 'errors on the side of the generator', 'shortages', 'none', 0, 'at most'),
        target(setting, 'answered at the end', 'stillAnswer', count.toLocaleString('en-US'), count, 'at least'),
      ]),
      text: heldTable(
        samples,
        both.map(([setting]) => setting),
      ),
    };
  },
};

async function hold(bench: Bench, targets: readonly string[], count: number): Promise<Figures> {
  const seconds = bench.quick ? 1 : HOLD_SECONDS;
  const driver = await startDriver('hold', { targets: targets.join(','), count, openingAtOnce: OPENING_AT_ONCE, seconds }, ['--expose-gc']);
  const { firstShortage, ...figures } = await lastLine<HoldResult>(driver, PATIENCE_MS);
  if (firstShortage !== undefined) bench.say(`this machine ran out while connections were opened: ${firstShortage}`);
  return figures;
}

function heldTable(samples: readonly Sample[], settings: readonly string[]): string {
  const text = (setting: string, figure: string): string => spreadText(spread(samples, setting, OURS, figure));
  return table(
    ['', 'opened', 'opened in, ms', 'generator-side errors', 'answered at the end', 'memory each, bytes'],
    settings.map((setting) => [setting, ...['opened', 'openMs', 'shortages', 'stillAnswer', 'rssBytesPerConnection'].map((figure) => text(setting, figure))]),
  );
}

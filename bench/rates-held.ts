/**
 * Whether high rates are held: requests that arrive per second, against what was asked for.
 */
import type { Measurement } from './lib/bench.ts';
import { contestantsOf, interleave, type Sample, settingsOf, spread } from './lib/samples.ts';
import { spreadText, table } from './lib/table.ts';
import type { Target } from './lib/targets.ts';
import { memcachedContestants, OURS } from './schedule.ts';

const RATES = [50_000, 100_000];
const WITHIN = 0.005;

export const ratesHeld: Measurement = {
  name: 'rates-held',
  title: 'High rates held',
  uses: ['cc', 'memtier'],
  measure: (bench) =>
    interleave(
      RATES.flatMap((rate) => memcachedContestants(bench, rate)),
      bench.rounds,
      bench.onSample,
    ),
  tell: (samples) => ({
    targets: settingsOf(samples).flatMap((setting, index) => targetsOf(samples, setting, RATES[index] as number)),
    text: settingsOf(samples)
      .map((setting) => rateTable(samples, setting))
      .join('\n\n'),
  }),
};

function targetsOf(samples: readonly Sample[], setting: string, rate: number): Target[] {
  const percent = (share: number): string => `${(share * 100).toFixed(2)}%`;
  const target = (what: string, figure: string): Target => ({
    what: `${rate.toLocaleString('en-US')}/s held: ${what}`,
    reach: `within ${percent(WITHIN)}`,
    bound: WITHIN,
    side: 'at most',
    measured: spread(samples, setting, OURS, figure),
    text: percent,
  });
  return [target('rate of arrivals, off by', 'rateError'), target('requests that never came', 'missingShare')];
}

function rateTable(samples: readonly Sample[], setting: string): string {
  const text = (name: string, figure: string, scale = 1): string => spreadText(spread(samples, setting, name, figure), scale);
  return table(
    [setting, 'arrived/s', 'off by, %', 'error p50, us', 'error p99, us', 'cores: generator'],
    contestantsOf(samples, setting).map((name) => [
      name,
      text(name, 'perSecond'),
      text(name, 'rateError', 100),
      text(name, 'errorP50Us'),
      text(name, 'errorP99Us'),
      text(name, 'generatorCores'),
    ]),
  );
}

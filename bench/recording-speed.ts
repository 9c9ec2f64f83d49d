/**
 * What it costs to write down a latency, against hdr-histogram-js. `recording.ts` measures both in one process, in rounds of its own; here it is run on the
 * generator's core, and percentiles are compared.
 */
import { join } from 'node:path';
import { build } from 'hdr-histogram-js';
import { Histogram } from '../harness/timeline/histogram.ts';
import { ROOT } from '../scripts/plain/progress.mjs';
import { lastLine, type Measurement } from './lib/bench.ts';
import { GENERATOR_CORE } from './lib/machine.ts';
import { Program } from './lib/processes.ts';
import { type Sample, spread } from './lib/samples.ts';
import { short, spreadText, table } from './lib/table.ts';
import type { Target } from './lib/targets.ts';

const SETTING = 'recording';
const OURS = 'aftershock';
const HDR = 'hdr-histogram-js';
const PATIENCE_MS = 300_000;

/** Two digits are 1/128 of a power of two, as our buckets are; three, which the costs are measured with, are 1/1,024. */
const DIGITS = [2, 3] as const;

const SERIES = [1, 12, 100, 3_000] as const;

/** What `recording.ts --json` prints, as far as it is used here. */
interface RecordingResult extends Readonly<Record<string, unknown>> {
  /** Medians. */
  readonly recordNs: number;
  readonly hdrRecordNs: number;
  /** Ten million values: recorded in a hundred histograms, merged, and all encoded. */
  readonly tenMillionSeconds: number;
  readonly hdrTenMillionSeconds: number;
  /** By round: ratios are theirs / ours. */
  readonly perRound: Readonly<Record<string, readonly number[]>> & { readonly recordRatio: readonly number[]; readonly tenMillionRatio: readonly number[] };
}

export const recording: Measurement = {
  name: 'recording',
  title: 'Recording a latency',
  uses: [],
  async measure({ rounds, onSample }) {
    const words = [process.execPath, join(ROOT, 'bench/recording.ts'), '--json', '--rounds', String(rounds)];
    const told = await lastLine<RecordingResult>(await Program.start(words, { core: GENERATOR_CORE }), PATIENCE_MS);
    const { recordRatio, tenMillionRatio, ...perRound } = told.perRound;
    const samples = recordRatio.map((ratio, index): Sample => {
      // Medians and percentiles belong to all rounds: they are told with the first.
      const common = index === 0 ? { recordNs: told.recordNs, tenMillionSeconds: told.tenMillionSeconds, ...numbersOf(told), ...differences() } : {};
      const costs = Object.fromEntries(SERIES.map((series) => [costOf(series), perRound[costOf(series)]?.[index] ?? Number.NaN]));
      const figures = { ...common, ...costs, timeOfHdr: 1 / ratio, tenMillionOfHdr: 1 / (tenMillionRatio[index] ?? Number.NaN) };
      return { setting: SETTING, contestant: OURS, round: index + 1, figures };
    });
    const theirs = { recordNs: told.hdrRecordNs, tenMillionSeconds: told.hdrTenMillionSeconds };
    samples.push({ setting: SETTING, contestant: HDR, round: 1, figures: theirs });
    for (const sample of samples) onSample(sample);
    return samples;
  },
  tell(samples) {
    const of = (figure: string, contestant = OURS) => spread(samples, SETTING, contestant, figure);
    const percent = (value: number): string => `${short(value * 100)}%`;
    return {
      targets: [
        {
          what: 'histogram: time to record a value',
          reach: `a fifth of ${HDR}'s`,
          bound: 1 / 5,
          side: 'at most',
          measured: of('timeOfHdr'),
        },
        ...DIGITS.map(
          (digits): Target => ({
            what: `histogram: percentiles, off those of ${HDR} with ${digits} significant digits by`,
            reach: 'nothing',
            bound: 0,
            side: 'at most',
            measured: of(`off${digits}Digits`),
            text: percent,
          }),
        ),
        {
          what: 'histogram: 10 million values recorded, merged and encoded',
          reach: 'under 0.5 s',
          bound: 0.5,
          side: 'at most',
          measured: of('tenMillionSeconds'),
          text: (value) => `${short(value)} s`,
        },
      ],
      text: [
        table(
          ['', 'a value, ns', '10 million, recorded, merged, encoded, s', 'this / hdr-histogram-js: a value', '10 million'],
          [
            [OURS, spreadText(of('recordNs')), spreadText(of('tenMillionSeconds')), spreadText(of('timeOfHdr')), spreadText(of('tenMillionOfHdr'))],
            [HDR, spreadText(of('recordNs', HDR)), spreadText(of('tenMillionSeconds', HDR)), '', ''],
          ],
        ),
        'What a request costs with all that is recorded of it (windows and completions by series, percentiles, kinds of errors, the schedule), against nothing:',
        table(
          ['series', 'a request, ns', 'allocated for a request, bytes', 'held by a window that waits, bytes'],
          SERIES.map((series) => [
            series.toLocaleString('en-US'),
            spreadText(of(costOf(series))),
            spreadText(of(`allocatedBytesPerRequest${series}Series`)),
            spreadText(of(`keptBytesPerWindow${series}Series`)),
          ]),
        ),
      ].join('\n\n'),
    };
  },
};

function costOf(series: number): string {
  return `recorder${series}SeriesNs`;
}

/** What else it printed in numbers. */
function numbersOf(told: RecordingResult): Record<string, number> {
  return Object.fromEntries(Object.entries(told).filter((entry): entry is [string, number] => typeof entry[1] === 'number' && entry[0].includes('Bytes')));
}

/** The largest difference of any percentile of a million values that spread over three powers of ten, as a share. */
function differences(): Record<string, number> {
  const ours = new Histogram();
  const theirs = DIGITS.map((numberOfSignificantValueDigits) =>
    build({ lowestDiscernibleValue: 1, highestTrackableValue: 2 ** 27 - 1, numberOfSignificantValueDigits, bitBucketSize: 32, autoResize: false }),
  );
  for (let i = 0; i < 1_000_000; i++) {
    // Multiples of the golden ratio fill the range evenly, without chance.
    const us = Math.floor(50 * 1_000 ** ((i * 0.618_033_988_75) % 1));
    ours.record(us);
    for (const histogram of theirs) histogram.recordValue(us);
  }
  const percentiles = [50, 75, 90, 95, 99, 99.9, 99.99];
  return Object.fromEntries(
    DIGITS.map((digits, index) => {
      const off = percentiles.map((percentile) => Math.abs(ours.percentile(percentile) / (theirs[index]?.getValueAtPercentile(percentile) ?? Number.NaN) - 1));
      return [`off${digits}Digits`, Math.max(...off)];
    }),
  );
}

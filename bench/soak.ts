/**
 * Half an hour at 20,000/s with full recording: whether the generator's heap grows. Runs only when it is named.
 */
import { CONNECTIONS } from './closed-loop.ts';
import { lastLine, type Measurement, startDriver } from './lib/bench.ts';
import { SERVER_CORE } from './lib/machine.ts';
import { Memcached } from './lib/memcached.ts';
import { type Sample, spread } from './lib/samples.ts';
import { spreadText, table } from './lib/table.ts';

const RATE = 20_000;
const KEYS = 10_000;
const OURS = 'aftershock';
const SETTING = `${RATE.toLocaleString('en-US')}/s over ${CONNECTIONS} connections, full recording`;
const MEBIBYTE = 2 ** 20;

interface SoakResult {
  readonly answered: number;
  readonly failed: number;
  readonly p99Us: number;
  /** Heap and buffers in use after a collection, bytes, at the end of each minute. */
  readonly heapBytes: readonly number[];
}

export const soak: Measurement = {
  name: 'soak',
  title: 'Half an hour without growth',
  uses: ['memcached'],
  onlyByName: true,
  async measure(bench) {
    const { minutes } = bench;
    await using server = await Memcached.start({ core: SERVER_CORE, keys: KEYS });
    const options = { port: server.port, connections: CONNECTIONS, rate: RATE, minutes, keys: KEYS };
    const driver = await startDriver('soak', options, ['--expose-gc']);
    const { heapBytes, ...told } = await lastLine<SoakResult>(driver, minutes * 60_000 + 60_000);
    const until = heapBytes.at(-1) ?? Number.NaN;
    // The first third is for code to be compiled and structures to find their size. Less than three readings say nothing about growth.
    const from = heapBytes[Math.floor(heapBytes.length / 3) - 1];
    const growth = from === undefined ? {} : { growthMiB: (until - from) / MEBIBYTE };
    const sample: Sample = {
      setting: SETTING,
      contestant: OURS,
      round: 1,
      figures: { ...told, minutes, heapMiB: until / MEBIBYTE, mostMiB: Math.max(...heapBytes) / MEBIBYTE, ...growth },
    };
    bench.onSample(sample);
    return [sample];
  },
  tell(samples) {
    const text = (figure: string): string => spreadText(spread(samples, SETTING, OURS, figure));
    const minutes = spread(samples, SETTING, OURS, 'minutes')?.median ?? 0;
    return {
      targets: [
        {
          what: `soak at ${RATE.toLocaleString('en-US')}/s: growth of the heap after collection over the last ${Math.round((minutes * 2) / 3)} of ${minutes} minutes`,
          reach: 'below 2 MB',
          bound: 2,
          side: 'at most',
          measured: spread(samples, SETTING, OURS, 'growthMiB'),
          why: 'it takes three minutes at least',
          text: (value) => `${value.toFixed(2)} MB`,
        },
      ],
      text: table(
        [SETTING, 'minutes', 'answered', 'failed', 'p99, us', 'heap at the end, MB', 'most, MB', 'growth over the last two thirds, MB'],
        [[OURS, ...['minutes', 'answered', 'failed', 'p99Us', 'heapMiB', 'mostMiB', 'growthMiB'].map(text)]],
      ),
    };
  },
};

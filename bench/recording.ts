/**
 * What recording costs: nanoseconds for a value beside hdr-histogram-js (Int32 counts, three significant digits), ten million values from record to
 * encoded, nanoseconds for a request with the recorder on and off, and what it leaves behind in memory.
 *
 *     node bench/recording.ts [--rounds 5] [--json]
 *
 * prints one object: medians, and by round what they are medians of. `hdr...` is the library's; ratios are theirs over ours.
 *
 * Contestants take turns within each round, and who begins changes from round to round. Times are processor time of this thread, so that what else runs on the
 * machine takes nothing from either.
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { build, encodeIntoCompressedBase64, type Histogram as HdrHistogram } from 'hdr-histogram-js';
import { Recorder } from '../harness/load/recording/recorder.ts';
import { hdrBase64 } from '../harness/report/hdr.ts';
import { Histogram } from '../harness/timeline/histogram.ts';
import { WINDOW_MS } from '../harness/timeline/types.ts';
import { NoRecording, PER_MS, REQUESTS, Recording, seriesOf, Traffic, VALUES } from './recording-traffic.ts';

const RECORDED = 3_000_000;
const PARTS = 100;
const PER_PART = 100_000;

const emptyHdr = () =>
  build({ lowestDiscernibleValue: 1, highestTrackableValue: 2 ** 27 - 1, numberOfSignificantValueDigits: 3, bitBucketSize: 32, autoResize: false });

function recordOurs(count: number): Histogram {
  const histogram = new Histogram();
  for (let i = 0; i < count; i++) histogram.record(VALUES[i & 0xffff] as number);
  return histogram;
}

function recordHdr(count: number): HdrHistogram {
  const histogram = emptyHdr();
  for (let i = 0; i < count; i++) histogram.recordValue(VALUES[i & 0xffff] as number);
  return histogram;
}

/** Ten million values in a hundred parts, added up, and all of them written as they are stored. */
function tenMillionOurs(): number {
  const parts = Array.from({ length: PARTS }, () => recordOurs(PER_PART));
  const whole = new Histogram();
  for (const part of parts) whole.merge(part);
  return [...parts, whole].reduce((length, one) => length + JSON.stringify(one.encode()).length, 0);
}

function tenMillionHdr(): number {
  const parts = Array.from({ length: PARTS }, () => recordHdr(PER_PART));
  const whole = emptyHdr();
  for (const part of parts) whole.add(part);
  return [...parts, whole].reduce((length, one) => length + encodeIntoCompressedBase64(one).length, 0);
}

/** Processor time of this thread, ns. */
function cpuNs(work: () => unknown): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) * 1_000;
}

/** Both in turn; who begins changes. */
function duel(rounds: number, ours: () => unknown, theirs: () => unknown): { ours: number[]; theirs: number[] } {
  const times = { ours: [] as number[], theirs: [] as number[] };
  ours();
  theirs();
  for (let round = 0; round < rounds; round++) {
    const turns = [() => times.ours.push(cpuNs(ours)), () => times.theirs.push(cpuNs(theirs))];
    for (const turn of round % 2 === 0 ? turns : turns.reverse()) turn();
  }
  return times;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

const rounded = (value: number) => Number(value.toPrecision(4));

/** Medians in `per` ns, how many times as long they took, and that by round. */
function against({ ours, theirs }: { ours: number[]; theirs: number[] }, per: number) {
  const ratios = ours.map((one, round) => rounded((theirs[round] as number) / one));
  return { ours: rounded(median(ours) / per), theirs: rounded(median(theirs) / per), ratio: rounded(median(ratios)), ratios };
}

/** What a request costs more with the recorder on: due, sent, looked at, answered, its part of the reports; ns, by round. */
function recorderCosts(rounds: number, series: number): number[] {
  const [on, off] = [new Recording(series), new NoRecording()];
  // Time goes on for each apart: the recorder is told of every moment once.
  const [recorded, unrecorded] = [new Traffic(series), new Traffic(series)];
  const periods = 10;
  const times = duel(
    rounds,
    () => recorded.run(on, periods),
    () => unrecorded.run(off, periods),
  );
  return times.ours.map((ns, round) => rounded((ns - (times.theirs[round] as number)) / (periods * REQUESTS)));
}

interface Memory {
  /** What due, sent and answered allocate for one request. */
  readonly allocatedBytesPerRequest: number;
  /** What a report allocates: nearly all of it is what it tells. */
  readonly toldBytesPerWindow: number;
  /** What a window of 100,000 requests holds while it waits to be told. */
  readonly keptBytesPerWindow: number;
}

/** In a process of its own with room for young objects, so that nothing is collected while it is counted. */
function memory(series: number): Memory {
  const flags = ['--expose-gc', '--min-semi-space-size=256', '--max-semi-space-size=256'];
  return JSON.parse(execFileSync(process.execPath, [...flags, import.meta.filename, '--memory-of', String(series)], { encoding: 'utf8' })) as Memory;
}

function memoryOf(series: number): Memory {
  const collect = (globalThis as unknown as { gc: () => void }).gc;
  const heldBytes = () => {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const bytesOf = (work: () => void) => {
    const before = heldBytes();
    work();
    return heldBytes() - before;
  };
  const requests = WINDOW_MS * PER_MS;
  /** Numbers as objects of their own, so that handing them over makes no new ones: what is counted is the recorder's. */
  const momentsOf = (window: number): unknown[] => ['', ...Array.from({ length: requests }, (_, i) => window * WINDOW_MS + i / PER_MS)];
  const play = (recorder: Recorder, dueMs: unknown[], endedMs: unknown[]) => {
    for (let i = 1; i <= requests; i++) {
      recorder.due(dueMs[i] as number, i % series, dueMs[i] as number);
      recorder.schedule.sent(dueMs[i] as number);
    }
    for (let i = 1; i <= requests; i++) recorder.answered(dueMs[i] as number, i % series, endedMs[requests - i + 1] as number, (i & 15) === 0);
  };
  const playing = new Recording(series);
  const windows = 40;
  let allocated = 0;
  let told = 0;
  for (let window = 0, dueMs = momentsOf(0); window < windows; window++) {
    const endedMs = momentsOf(window + 1);
    collect();
    allocated = bytesOf(() => play(playing.recorder, dueMs, endedMs));
    told = bytesOf(() => playing.report((window + 1) * WINDOW_MS));
    dueMs = endedMs;
  }
  // Windows that nobody asks for stay.
  const waiting = new Recorder({ series: seriesOf(series), deadlineMs: 20 });
  collect();
  const kept = bytesOf(() => {
    for (let i = 0; i < 10 * requests; i++) {
      waiting.due(i / PER_MS, i % series, i / PER_MS);
      waiting.answered(i / PER_MS, i % series, (i + (VALUES[i & 0xffff] as number)) / PER_MS, false);
    }
    collect();
  });
  waiting.takeTally();
  return { allocatedBytesPerRequest: rounded(allocated / requests), toldBytesPerWindow: told, keptBytesPerWindow: Math.round(kept / 10) };
}

function measure(rounds: number) {
  const ours = recordOurs(RECORDED);
  const theirs = recordHdr(RECORDED);
  const times = (count: number, work: () => unknown) => () => {
    for (let i = 0; i < count; i++) work();
  };
  const recording = duel(
    rounds,
    () => recordOurs(RECORDED),
    () => recordHdr(RECORDED),
  );
  const encoding = duel(
    rounds,
    times(50, () => hdrBase64(ours)),
    times(50, () => encodeIntoCompressedBase64(theirs)),
  );
  const record = against(recording, RECORDED);
  const tenMillion = against(duel(rounds, tenMillionOurs, tenMillionHdr), 1e9);
  const encode = against(encoding, 50 * 1e3);
  const costs = [1, 12, 100, 3_000].map((series) => recorderCosts(rounds, series)) as [number[], number[], number[], number[]];
  const few = memory(12);
  const many = memory(3_000);
  return {
    rounds,
    recordNs: record.ours,
    hdrRecordNs: record.theirs,
    recordRatio: record.ratio,
    tenMillionSeconds: tenMillion.ours,
    hdrTenMillionSeconds: tenMillion.theirs,
    tenMillionRatio: tenMillion.ratio,
    hlogEncodeUs: encode.ours,
    hdrEncodeUs: encode.theirs,
    hlogEncodeRatio: encode.ratio,
    p99Us: ours.percentile(99),
    hdrP99Us: theirs.getValueAtPercentile(99),
    recorder1SeriesNs: median(costs[0]),
    recorder12SeriesNs: median(costs[1]),
    recorder100SeriesNs: median(costs[2]),
    recorder3000SeriesNs: median(costs[3]),
    allocatedBytesPerRequest12Series: few.allocatedBytesPerRequest,
    allocatedBytesPerRequest3000Series: many.allocatedBytesPerRequest,
    toldBytesPerWindow12Series: few.toldBytesPerWindow,
    toldBytesPerWindow3000Series: many.toldBytesPerWindow,
    keptBytesPerWindow12Series: few.keptBytesPerWindow,
    keptBytesPerWindow3000Series: many.keptBytesPerWindow,
    perRound: {
      recordRatio: record.ratios,
      tenMillionRatio: tenMillion.ratios,
      hlogEncodeRatio: encode.ratios,
      recorder1SeriesNs: costs[0],
      recorder12SeriesNs: costs[1],
      recorder100SeriesNs: costs[2],
      recorder3000SeriesNs: costs[3],
    },
  };
}

const { values: flags } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, json: { type: 'boolean', default: false }, 'memory-of': { type: 'string' } },
});
const measured = flags['memory-of'] === undefined ? measure(Math.max(5, Math.trunc(Number(flags.rounds)) || 5)) : memoryOf(Number(flags['memory-of']));
// On one line for programs, on many for people.
process.stdout.write(`${JSON.stringify(measured, null, flags.json || flags['memory-of'] !== undefined ? 0 : 2)}
`);

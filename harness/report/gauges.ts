/**
 * The pictures of what stood beside the requests: sockets at the nodes, and how well the load generator kept its own schedule.
 */
import { formatMs } from '../core/units.ts';
import { isStarved } from '../timeline/starved.ts';
import type { Figure } from './figure.ts';
import { linear } from './scale.ts';
import type { Scene } from './scene.ts';
import { frame } from './scene.ts';
import { counted, moment } from './words.ts';

const TOTAL = 'sockets.total';
const WAITING = 'sockets.CLOSE_WAIT';
/** Eight curves, two for each node, are as many as can be told apart. */
const MOST_NODES = 4;
/** Looks of all sockets and of the waiting ones, node by node. */
const LOOKS = [
  [0, 7],
  [4, 3],
  [1, 6],
  [5, 2],
] as const;

interface Readings {
  readonly node: string;
  /** The highest reading of each slot, NaN where there was none. */
  readonly total: readonly number[];
  readonly waiting: readonly number[];
  readonly highest: number;
}

/** Sockets of each watched node; undefined when no node was watched and none was asked for. */
export function socketFigure(scene: Scene, watched: readonly string[]): Figure | undefined {
  const heading = 'Sockets at the nodes';
  const readings = readingsOf(scene, scene.fineMs);
  if (readings.length === 0) {
    if (watched.length === 0) return undefined;
    return { heading, summary: 'No reading arrived.', picture: `Nothing to draw: ${watched.join(', ')} should have been read, and no reading arrived.` };
  }
  const shown = readings.slice(0, MOST_NODES);
  const left = readings.length - shown.length;
  const coarse = readingsOf(scene, scene.coarseMs).slice(0, MOST_NODES);
  const highest = (values: readonly number[]) => Math.max(0, ...values.filter((value) => !Number.isNaN(value)));
  const columns = shown.flatMap((reading, i) => [
    { name: `${reading.node} all`, look: LOOKS[i]?.[0] ?? 0, values: reading.total },
    { name: `${reading.node} wait`, look: LOOKS[i]?.[1] ?? 1, values: reading.waiting },
  ]);
  const peaks = shown.map(
    ({ node, total, waiting }) => `${node} held ${counted(highest(total))} at most, ${counted(highest(waiting))} of them in CLOSE_WAIT at most`,
  );
  return {
    heading,
    summary: `${peaks.join('; ')}.${left > 0 ? ` The ${left} other nodes held fewer.` : ''} "wait" is CLOSE_WAIT: the far end hung up, the node has not closed yet.`,
    picture: {
      ...frame(scene),
      height: 150,
      slots: slotsOf(scene, scene.fineMs),
      y: linear(Math.max(...shown.map((reading) => reading.highest)), counted),
      lines: columns.filter((line) => highest(line.values) > 0),
    },
    numbers: {
      caption: 'Sockets, the highest reading of each span',
      head: ['from', ...coarse.flatMap(({ node }) => [`${node} all`, `${node} CLOSE_WAIT`])],
      rows: slotsOf(scene, scene.coarseMs).map((slot, i) => [
        moment(slot.fromMs),
        ...coarse.flatMap(({ total, waiting }) =>
          [total[i], waiting[i]].map((value) => (value === undefined || Number.isNaN(value) ? 'none' : counted(value))),
        ),
      ]),
    },
  };
}

/** By node, those with the most sockets first. */
function readingsOf(scene: Scene, widthMs: number): Readings[] {
  const gauges = scene.timeline.gauges.filter((gauge) => gauge.name === TOTAL || gauge.name === WAITING);
  const slots = slotsOf(scene, widthMs).length;
  return [...new Set(gauges.map((gauge) => gauge.node))]
    .map((node) => {
      const of = (name: string) => {
        const values = Array.from({ length: slots }, () => Number.NaN);
        for (const gauge of gauges) {
          const slot = Math.floor(gauge.at / widthMs);
          const before = values[slot];
          if (gauge.node === node && gauge.name === name && before !== undefined)
            values[slot] = Number.isNaN(before) ? gauge.value : Math.max(before, gauge.value);
        }
        return bridged(values, Math.ceil(1_000 / widthMs));
      };
      const [total, waiting] = [of(TOTAL), of(WAITING)];
      return { node, total, waiting, highest: Math.max(0, ...[...total, ...waiting].filter((value) => !Number.isNaN(value))) };
    })
    .filter((reading) => reading.total.some((value) => !Number.isNaN(value)) || reading.waiting.some((value) => !Number.isNaN(value)))
    .sort((a, b) => b.highest - a.highest || a.node.localeCompare(b.node, 'en', { numeric: true }));
}

/** Readings come less often than slots: a reading holds until the next one, for a second at most. */
function bridged(values: readonly number[], most: number): number[] {
  let held = Number.NaN;
  let age = 0;
  return values.map((value) => {
    if (!Number.isNaN(value)) [held, age] = [value, 0];
    else if (++age > most) held = Number.NaN;
    return held;
  });
}

function slotsOf(scene: Scene, widthMs: number) {
  const { durationMs } = scene.timeline;
  return Array.from({ length: Math.max(0, Math.ceil(durationMs / widthMs)) }, (_, i) => ({
    fromMs: i * widthMs,
    untilMs: Math.min((i + 1) * widthMs, durationMs),
  }));
}

/** How late the generator looked at requests: what is late here is late in every figure above. */
export function generatorFigure(scene: Scene): Figure {
  const heading = 'Lateness of the load generator itself';
  const { generator } = scene.timeline;
  if (generator.length === 0)
    return { heading, summary: 'The generator told nothing of itself.', picture: 'Nothing to draw: no window of a generator arrived.' };
  const worst = (widthMs: number, of: (window: (typeof generator)[number]) => number) => {
    const values = slotsOf(scene, widthMs).map(() => Number.NaN);
    for (const window of generator) {
      const slot = Math.floor(window.at / widthMs);
      if (values[slot] !== undefined) values[slot] = Number.isNaN(values[slot]) ? of(window) : Math.max(values[slot], of(window));
    }
    return values;
  };
  const late = generator.reduce((total, window) => total + window.late, 0);
  const due = generator.reduce((total, window) => total + window.due, 0);
  const top = generator.reduce((most, window) => (window.maxLatenessMs > most.maxLatenessMs ? window : most));
  const stood = Math.max(...generator.map((window) => window.maxLoopDelayMs));
  const starved = generator.filter(isStarved).length;
  const columns = [
    { name: 'max', look: 2, of: (window: typeof top) => window.maxLatenessMs },
    { name: 'p99', look: 0, of: (window: typeof top) => window.p99LatenessMs },
  ];
  const table = columns.map((column) => worst(scene.coarseMs, column.of));
  return {
    heading,
    summary: `Looked at ${counted(late)} of ${counted(due)} requests more than 10 ms after they were due; ${formatMs(top.maxLatenessMs)} late at worst (at ${moment(top.at)}); its event loop stood for ${formatMs(stood)} at most. ${starved === 0 ? 'It kept its schedule in every window.' : `It could not keep its schedule in ${counted(starved)} of ${counted(generator.length)} windows.`}`,
    picture: {
      ...frame(scene),
      height: 64,
      slots: slotsOf(scene, scene.fineMs),
      y: linear(Math.max(10, top.maxLatenessMs), (ms) => `${Number(ms.toPrecision(3))} ms`, 2),
      lines: columns.map(({ name, look, of }) => ({ name, look, values: worst(scene.fineMs, of) })),
    },
    numbers: {
      caption: 'Schedule error of the generator: from due to looked at, the worst window of each span',
      head: ['from', 'max', 'p99'],
      rows: slotsOf(scene, scene.coarseMs).map((slot, i) => [
        moment(slot.fromMs),
        ...table.map((values) => (values[i] === undefined || Number.isNaN(values[i]) ? 'none' : formatMs(values[i]))),
      ]),
    },
  };
}

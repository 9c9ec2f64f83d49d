/**
 * Why a load generator probably could not keep its schedule, in words: from what it told of itself and from the readings of the host in the same windows.
 * A reason for a run to be invalid ends with it, so that a person knows whether to ask for more processes or for a quieter machine.
 */
import { formatMs, formatShare } from '../core/units.ts';
import { LATE_MS } from '../timeline/starved.ts';
import { type Gauge, type GeneratorWindow, type Timeline, WINDOW_MS } from '../timeline/types.ts';

/** One process has one core's worth of JavaScript: from here on it has no time left to be on time. */
const FULL_CORE_SHARE = 0.9;
/** Less than a tenth of all processors left: a task that wakes up finds somebody else running. */
const BUSY_IDLE_SHARE = 0.1;
/** A twentieth of the time went to other machines on the same hardware: 5 ms of each window, half of what counts as late. */
const MUCH_STEAL_SHARE = 0.05;
/** The host is read every 200 ms, and a reading tells of the time before it: it overlaps a window that began up to 300 ms earlier. */
const READING_REACH_MS = WINDOW_MS + 200;

/** ', probably because its own core was full (97% busy)'; empty where nothing is known. `windows` are those in which it was late. */
export function probableCause(windows: readonly GeneratorWindow[], timeline: Timeline): string {
  const cpu = mean(windows.flatMap(({ cpuShare }) => cpuShare ?? []));
  const stoodMs = Math.max(0, ...windows.map(({ maxLoopDelayMs }) => maxLoopDelayMs));
  const stood = windows.filter(({ maxLoopDelayMs }) => maxLoopDelayMs > LATE_MS).length;
  const host = (name: string) => mean(readingsDuring(windows, timeline.gauges, name));
  const [idle, steal] = [host('host.idle'), host('host.steal')];
  const causes: string[] = [];
  if (cpu !== undefined && cpu >= FULL_CORE_SHARE)
    causes.push(`its own core was full (${formatShare(Math.min(1, cpu))} busy; more processes would share the load)`);
  if (steal !== undefined && steal > MUCH_STEAL_SHARE) causes.push(`the host lost its processors to another machine (${formatShare(steal)} stolen)`);
  if (idle !== undefined && idle < BUSY_IDLE_SHARE) causes.push(`the host was busy (${[`${formatShare(idle)} idle`, ...queueOf(host)].join(', ')})`);
  if (stood * 2 >= windows.length && stood > 0) causes.push(`its event loop stood for ${formatMs(stoodMs)}`);
  if (causes.length > 0) return `, probably because ${causes.join(' and ')}`;
  const seen = [
    ...(cpu === undefined ? [] : [`its own core was ${formatShare(cpu)} busy`]),
    ...(idle === undefined ? [] : [`the host was ${formatShare(idle)} idle`]),
  ];
  return seen.length === 0 ? '' : `; what was read does not tell why: ${seen.join(', ')}`;
}

/** '7 tasks running or waiting', 'some task waited 80% of the time': as far as it was read. */
function queueOf(host: (name: string) => number | undefined): string[] {
  const [queue, pressure] = [host('host.runQueue'), host('host.cpuPressure')];
  return [
    ...(queue === undefined ? [] : [`${Math.round(queue)} tasks running or waiting`]),
    ...(pressure === undefined ? [] : [`some task waited ${formatShare(pressure)} of the time`]),
  ];
}

function readingsDuring(windows: readonly GeneratorWindow[], gauges: readonly Gauge[], name: string): number[] {
  const starts = new Set(windows.map(({ at }) => Math.floor(at / WINDOW_MS)));
  const reach = READING_REACH_MS / WINDOW_MS;
  return gauges
    .filter(
      (gauge) => gauge.name === name && Array.from({ length: reach }, (_, back) => Math.floor(gauge.at / WINDOW_MS) - back).some((start) => starts.has(start)),
    )
    .map(({ value }) => value);
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

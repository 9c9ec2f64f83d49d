/** `aftershock export RESULT-DIR --hlog FILE` writes a saved run for other tools. It needs no engine. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, messageOf } from '../core/errors.ts';
import { milliseconds } from '../core/units.ts';
import { hlogLines } from '../report/hlog.ts';
import { counted } from '../report/words.ts';
import { readPlan } from '../run/results.ts';
import { readJournal } from '../timeline/journal.ts';
import { JOURNAL_FILE, readTimeline } from '../timeline/read.ts';
import type { JournalRecord } from '../timeline/records.ts';
import { WINDOW_MS } from '../timeline/types.ts';

export interface ExportFlags {
  readonly hlog: string;
  /** ms */
  readonly interval?: number;
}

/** Throws InputError when the folder is no result, or the file cannot be written. */
export async function exportCommand(folder: string, flags: ExportFlags): Promise<void> {
  const plan = readPlan(folder);
  const timeline = readTimeline(folder);
  const options = {
    startedAt: startOf(folder),
    intervalMs: flags.interval ?? WINDOW_MS,
    title: `aftershock: ${plan.scenario}, ${plan.variant}, seed ${plan.seed}`,
  };
  let lines = 0;
  const counting = function* () {
    for (const line of hlogLines(timeline, options)) {
      if (!line.startsWith('#') && !line.startsWith('"')) lines++;
      yield line;
    }
  };
  await write(flags.hlog, counting());
  process.stdout.write(`\n  ${flags.hlog}: ${counted(lines)} interval histograms\n\n`);
}

/** '1s' to 1000 (ms). Throws InputError unless it is a whole number of windows. */
export function interval(text: string): number {
  const ms = milliseconds(text, '--interval');
  if (ms === 0 || ms % WINDOW_MS !== 0) throw new InputError(`--interval: '${text}' is not allowed; write a multiple of ${WINDOW_MS}ms, such as '1s'`);
  return ms;
}

/** Wall clock at time zero. */
function startOf(folder: string): Date {
  const records = readJournal(join(folder, JOURNAL_FILE)).records as JournalRecord[];
  const start = records.find((record) => record.type === 'start');
  const startedAt = new Date(start?.wallClock ?? Number.NaN);
  if (Number.isNaN(startedAt.getTime())) throw new InputError(`${folder}: ${JOURNAL_FILE} does not say when the load started`);
  return startedAt;
}

async function write(file: string, lines: Iterable<string>): Promise<void> {
  try {
    await writeFile(file, lines);
  } catch (thrown) {
    throw new InputError(`--hlog: '${file}' cannot be written: ${messageOf(thrown)}`, { cause: thrown });
  }
}

/**
 * Keeps the rounds of each measurement under `bench/rounds`, one line of JSON each below a line about where and when they were made: the evidence for the
 * tables, from which they can be told again.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EnvironmentError } from '../../harness/core/errors.ts';
import { ROOT } from '../../scripts/plain/progress.mjs';
import type { Machine } from './machine.ts';
import type { Sample } from './samples.ts';

const FOLDER = join(ROOT, 'bench/rounds');

export interface Head {
  readonly measurement: string;
  /** ISO 8601. */
  readonly at: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly node: string;
  readonly machine: Machine;
  /** Version by name, of those that were there. */
  readonly peers: Readonly<Record<string, string>>;
}

export interface Stored {
  readonly head: Head;
  readonly samples: readonly Sample[];
}

export function save({ head, samples }: Stored): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(pathOf(head.measurement), [head, ...samples].map((line) => `${JSON.stringify(line)}\n`).join(''));
}

/** What was measured last; undefined when it never was. Throws EnvironmentError when the file is damaged. */
export function load(measurement: string): Stored | undefined {
  const path = pathOf(measurement);
  if (!existsSync(path)) return undefined;
  try {
    const [head, ...samples] = readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    return { head: head as Head, samples: samples as Sample[] };
  } catch (thrown) {
    throw new EnvironmentError(`${path} is damaged (${(thrown as Error).message}); measure again, or remove it`, { cause: thrown });
  }
}

function pathOf(measurement: string): string {
  return join(FOLDER, `${measurement}.jsonl`);
}

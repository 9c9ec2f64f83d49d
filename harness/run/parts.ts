/** The programs of one load: how many there are, and what each is called wherever its windows are told apart. */
import type { LoadSpec } from './types.ts';

/** More than this never helps: each is a Node of its own, of some 50 MiB. */
export const MOST_PROCESSES = 32;

/** 'main', 'main#2', 'main#3': the first has the load's own name. */
export function partNames({ name, processes = 1 }: Pick<LoadSpec, 'name' | 'processes'>): string[] {
  return Array.from({ length: processes }, (_, index) => (index === 0 ? name : `${name}#${index + 1}`));
}

/**
 * report.json: the report for machines. The same report gives the same bytes, whatever order its keys were set in, so that two
 * results can be compared with `diff`.
 */
import type { Report } from '../run/types.ts';

/** What a reader looks for first stands first; keys that are not named here follow in the order of the alphabet. */
const FIRST = ['format', 'scenario', 'variant', 'seed', 'outcome', 'exitCode', 'headline', 'reasons', 'name', 'role', 'status', 'limit', 'measured'];

/**
 * Any data as indented JSON with a fixed order of keys and a line break at its end. Numbers that JSON cannot hold (a
 * recovery that never came is Infinity ms) become null.
 */
export function stableJson(value: unknown): string {
  return `${JSON.stringify(value, (_, inner: unknown) => (isRecord(inner) ? ordered(inner) : inner), 2)}\n`;
}

/** The text of report.json. */
export function reportJson(report: Report): string {
  return stableJson(report);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function ordered(record: Record<string, unknown>): Record<string, unknown> {
  const rank = (key: string) => (FIRST.includes(key) ? FIRST.indexOf(key) : FIRST.length);
  const keys = Object.keys(record).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(keys.map((key) => [key, record[key]]));
}

/**
 * Tables in Markdown, and numbers as people read them.
 */
import type { Spread } from './statistics.ts';

/** A table; the first column is text and stands to the left, the others to the right, unless it is said which are text. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[], texts: readonly number[] = [0]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map((_, column) => (texts.includes(column) ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** Three digits that count, thousands parted by commas: 0.0123, 1.23, 12.3, 123, 12,345. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString('en-US');
  if (size === 0) return '0';
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(size)));
  return Number(value.toFixed(decimals)).toString();
}

/** '1.34 (1.13 to 1.40)'; '-' for nothing. */
export function spreadText(spread: Spread | undefined, scale = 1): string {
  if (spread === undefined) return '-';
  const median = short(spread.median * scale);
  return spread.count === 1 ? median : `${median} (${short(spread.least * scale)} to ${short(spread.most * scale)})`;
}

/** A ratio with two decimals, and three below a tenth. */
export function ratioText(value: number): string {
  return value.toFixed(Math.abs(value) < 0.1 ? 3 : 2);
}

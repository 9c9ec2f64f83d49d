/**
 * Tables and colour for the terminal. Colour only repeats what the words say, and it is off unless the caller turns it on.
 */
import { styleText } from 'node:util';
import { columns, padded, wrapped } from './text.ts';
import type { Tone } from './words.ts';

export type Style = readonly ('bold' | 'dim' | 'green' | 'gray' | 'red' | 'yellow')[];
export type Paint = (style: Style, text: string) => string;

export const TONES: Readonly<Record<Tone, Style>> = { good: ['green'], quiet: ['gray'], alarm: ['red', 'bold'], unclear: ['yellow'] };

/** Paints, or leaves all text as it is. */
export function painter(colour: boolean): Paint {
  return colour ? (style, text) => (style.length === 0 || text === '' ? text : styleText([...style], text, { validateStream: false })) : (_, text) => text;
}

/** Whether a stream takes colour: a terminal, unless NO_COLOR says otherwise, or FORCE_COLOR does. */
export function takesColour(stream: NodeJS.WriteStream): boolean {
  return styleText('red', 'x', { stream, validateStream: true }) !== 'x';
}

/** The narrowest that anything is laid out for. A narrower terminal breaks the lines itself. */
export const NARROWEST = 80;

export interface Cell {
  readonly text: string;
  readonly style?: Style;
}

export interface Row {
  readonly cells: readonly Cell[];
  /** A remark under the row, across all columns. */
  readonly below?: string;
}

/**
 * Rows under a head, each column as wide as its longest cell while that fits, and wrapped inside its column when it does not.
 * The width is given up by the widest columns first, down to 8 columns each.
 */
export function table(head: readonly string[], rows: readonly Row[], options: { width: number; paint: Paint }): string[] {
  const all: Row[] = [{ cells: head.map((text) => ({ text, style: ['dim'] })) }, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => columns(row.cells[i]?.text ?? ''))));
  const gaps = 2 * (head.length - 1);
  while (widths.reduce((sum, width) => sum + width, gaps) > Math.max(options.width, NARROWEST)) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] as number) <= 8) break;
    widths[widest] = (widths[widest] as number) - 1;
  }
  return all.flatMap((row) => {
    const cells = row.cells.map((cell, i) => wrapped(cell.text, widths[i] as number));
    const height = Math.max(...cells.map((lines) => lines.length));
    const lines = Array.from({ length: height }, (_, line) =>
      cells
        .map((column, i) => options.paint(row.cells[i]?.style ?? [], column[line] ?? '') + ' '.repeat(gapAfter(column[line] ?? '', widths[i] as number)))
        .join('  ')
        .replace(/ +$/, ''),
    );
    const below = row.below === undefined ? [] : wrapped(row.below, options.width - (widths[0] as number) - 2);
    return [...lines, ...below.map((line) => ' '.repeat((widths[0] as number) + 2) + options.paint(['dim'], line))];
  });
}

function gapAfter(text: string, width: number): number {
  return padded(text, width).length - text.length;
}

/**
 * Text for people: made harmless, measured in columns, wrapped and fitted. A report quotes words from elsewhere (a
 * scenario's title, a server's error), and none of them may move the cursor or reorder a line.
 */

/** Control characters, line separators, and the marks that reorder text (bidirectional overrides and isolates). */
const HARMFUL = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** One line: white space is folded into single spaces, and characters that act instead of showing become U+FFFD. */
export function oneLine(text: string): string {
  return text.replace(/[\t\n\r]+/g, ' ').replace(HARMFUL, '\ufffd');
}

/** Marks on other letters, variation selectors and joiners take no column. */
const COMBINING = /^(?:\p{Mn}|\p{Me}|\p{Cf})$/u;
/** East Asian wide and full-width blocks, and emoji, stand on two columns. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u;

/** Terminal columns that a line without control characters takes. */
export function columns(text: string): number {
  let width = 0;
  for (const char of text) width += COMBINING.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return width;
}

/** The line, filled up with spaces on the right. */
export function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - columns(text)));
}

/** The line, cut to the width with an ellipsis when it is longer. */
export function fitted(text: string, width: number): string {
  if (columns(text) <= width) return text;
  let kept = '';
  for (const char of text) {
    if (columns(kept) + columns(char) > width - 1) break;
    kept += char;
  }
  return width > 0 ? `${kept}…` : '';
}

/** The space between a figure and its unit, at which a line should not end. */
const BEFORE_UNIT = /(?<=\d) (?=(?:us|ms|s|min|h|MiB)\b)/g;

/** The text with spaces before units that do not break, so that a browser keeps '5 s' together. */
export function glued(text: string): string {
  return text.replace(BEFORE_UNIT, '\u00a0');
}

/**
 * Lines no wider than `width` columns: broken between words, not before a unit, and inside a word only when it alone is too
 * long.
 */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of glued(oneLine(text))
    .split(' ')
    .filter((part) => part !== '')) {
    for (const piece of pieces(word, width)) {
      if (line !== '' && columns(line) + 1 + columns(piece) > width) {
        lines.push(line);
        line = '';
      }
      line = line === '' ? piece : `${line} ${piece}`;
    }
  }
  if (line !== '' || lines.length === 0) lines.push(line);
  return lines.map((one) => one.replaceAll('\u00a0', ' '));
}

function pieces(word: string, width: number): string[] {
  if (columns(word) <= width) return [word];
  const found: string[] = [];
  let piece = '';
  for (const char of word) {
    if (piece !== '' && columns(piece) + columns(char) > width) {
      found.push(piece);
      piece = '';
    }
    piece += char;
  }
  return [...found, piece];
}

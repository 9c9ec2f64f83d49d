/**
 * HTML and SVG that cannot be broken out of: `html` is the only way to write markup, and whatever is put into it is escaped unless
 * it is itself markup. So a forgotten escape is not a thing that one can write by accident.
 */

/** Text that may stand in a page as it is. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Part = Markup | string | number | undefined | false | readonly Part[];

/** Control characters other than line breaks and tabs, and the marks that reorder text. */
const HARMFUL = /(?![\t\n\r])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;', '`': '&#96;' };

/** Text made safe inside an element and inside a quoted attribute. Characters that act instead of showing become U+FFFD. */
export function escapeHtml(text: string): string {
  return text.replace(HARMFUL, '\ufffd').replace(/[&<>"'`]/g, (char) => ENTITIES[char] as string);
}

/** Markup with values put in: strings and numbers are escaped, markup stands as it is, lists are joined, undefined and false are nothing. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.map((text, i) => text + (i < parts.length ? textOf(parts[i]) : '')).join(''));
}

function textOf(part: Part): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'string') return escapeHtml(part);
  if (typeof part === 'number') return escapeHtml(String(part));
  return part.map(textOf).join('');
}

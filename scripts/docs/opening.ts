/** The opening comment of a fault's file: its catalogue page, by labels. */

/** Each a paragraph that begins with the label and a colon; on the page they stand in this order. */
export const LABELS = ['On the wire', 'It does not', 'Proof', 'Ends by itself', 'Needs'] as const;
/** How a fault ends by itself is left out where it does so as all others do: the page says that for it. */
export const REQUIRED = ['On the wire', 'It does not', 'Proof', 'Needs'] as const;

export type Label = (typeof LABELS)[number];

export interface Opening {
  readonly name: string;
  /** What it is, in a line. */
  readonly line: string;
  readonly labelled: ReadonlyMap<Label, string>;
}

/** Throws Error saying what is wrong with it. */
export function openingOf(source: string, file: string): Opening {
  const [first = '', ...rest] = paragraphsOf(source);
  const [, name, line] = /^([a-z][a-z-]*): (.*)$/s.exec(first) ?? [];
  if (name === undefined || line === undefined) throw new Error(`${file}: its opening comment does not begin with 'name: what it is, in a line.'`);
  const labelled = new Map<Label, string>();
  for (const paragraph of rest) {
    const label = LABELS.find((one) => paragraph.startsWith(`${one}: `));
    if (!label) throw new Error(`${file}: a paragraph of its opening comment begins with none of ${LABELS.join(', ')}: '${paragraph.slice(0, 40)}...'`);
    if (labelled.has(label)) throw new Error(`${file}: its opening comment has '${label}' twice`);
    labelled.set(label, paragraph.slice(label.length + 2));
  }
  const missing = REQUIRED.find((label) => !labelled.has(label));
  if (missing) throw new Error(`${file}: its opening comment has no paragraph '${missing}:'`);
  return { name, line, labelled };
}

/** Of the comment with which a file opens, each on one line. */
export function paragraphsOf(source: string): string[] {
  const [, comment = ''] = /^\/\*\*(.*?)\*\//s.exec(source) ?? [];
  return comment
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .trim()
    .split(/\n{2,}/)
    .map((paragraph) => paragraph.replace(/\s*\n\s*/g, ' '));
}

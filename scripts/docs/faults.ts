/**
 * Writes docs/faults: a page for each fault, from the opening comment of its file, its schema and its example; and an index with all of them and with which exclude each other.
 *
 *   npm run docs:faults
 *
 * A test holds the pages against what this makes of the source.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { allowedBy } from '../../harness/faults/allowed.ts';
import { type CatalogueEntry, catalogue } from '../../harness/faults/catalogue.ts';
import { clashOf } from '../../harness/faults/exclusion.ts';
import { type AnyKind, callText, commandText, fieldsOf, targetField, targetSchema } from '../../harness/faults/writing.ts';
import { LABELS, openingOf, paragraphsOf } from './opening.ts';

const ROOT = join(import.meta.dirname, '..', '..');
export const FOLDER = join(ROOT, 'docs', 'faults');
const INDEX = 'README.md';
const WIDTH = 150;
const LEASES = 'within ten seconds of the death of its run, by the means of its family: [decision 8](../decisions/0008-what-is-done-to-a-system-is-lent.md).';

/** Every page by the name of its file. */
export function pages(): Map<string, string> {
  const entries = catalogue();
  return new Map([[INDEX, indexPage(entries)], ...entries.map((entry) => [`${entry.kind.kind}.md`, faultPage(entry, entries)] as const)]);
}

function faultPage({ kind, family, file }: CatalogueEntry, entries: readonly CatalogueEntry[]): string {
  const source = readFileSync(file, 'utf8');
  const { name, line, labelled } = openingOf(source, relative(ROOT, file));
  if (name !== kind.kind) throw new Error(`${relative(ROOT, file)}: its opening comment speaks of '${name}'`);
  const seconds = Math.max(10, Math.ceil((2 * kind.provingMs(kind.example)) / 1_000));
  const said = LABELS.flatMap((label) => {
    const text = labelled.get(label) ?? (label === 'Ends by itself' ? LEASES : undefined);
    return text === undefined ? [] : ['', wrapped(`**${label}**: ${text}`)];
  });
  return lines([
    `# ${kind.kind}`,
    '',
    wrapped(capital(line)),
    '',
    '```ts',
    `{ at: '10s', for: '${seconds}s', fault: ${callText(kind, kind.example)} }`,
    '```',
    '',
    "In a scenario's steps; or by hand, on a cluster that [`up`](../../README.md#the-commands) has left standing:",
    '',
    '```sh',
    commandText(kind, kind.example, `${seconds}s`),
    '```',
    '',
    ...fieldTable(kind, file),
    ...said,
    '',
    wrapped(`**Together with others**: ${clashes(kind, entries)}`),
    ...(kind.ramps ? ['', wrapped('**Ramps**: its magnitude can be changed while it is in force, by [a step with `ramp`](../steps.md).')] : []),
    '',
    `Source: [${relative(ROOT, file)}](${relative(FOLDER, file)}). Family: [${family}](${INDEX}#${family}).`,
  ]);
}

function fieldTable(kind: AnyKind, file: string): string[] {
  const target = `| \`${targetField(kind)}\` | \`--on\` | ${cell(allowedBy(targetSchema(kind)))} | needed |`;
  const rows = fieldsOf(kind).map(({ name, flag, allowed, required, otherwise }) => {
    const meaning = docstring(name, file);
    const left = required ? 'needed' : otherwise === undefined ? 'nothing' : `\`${String(otherwise)}\``;
    return `| \`${name}\` | \`${flag}\` | ${cell(allowed)}${meaning === undefined ? '' : `. ${cell(meaning)}`} | ${left} |`;
  });
  return ['| field | flag | allowed | left out |', '| --- | --- | --- | --- |', target, ...rows];
}

/** What a field's own comment says of it, in the fault's file or else in another of its family. */
function docstring(field: string, file: string): string | undefined {
  const others = readdirSync(dirname(file))
    .filter((name) => name.endsWith('.ts') && !/\.(test|fixture)\.ts$/.test(name))
    .map((name) => join(dirname(file), name));
  const [text] = [file, ...others].flatMap((path) => {
    const [, comment] = new RegExp(`/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\s*readonly ${field}\\??:`).exec(readFileSync(path, 'utf8')) ?? [];
    return comment === undefined ? [] : [comment.replace(/\s*\n\s*\*?\s*/g, ' ').trim()];
  });
  return text;
}

/** Which others cannot be in force on the same target, by what one of the two changes and the other's proof needs. */
function clashes(kind: AnyKind, entries: readonly CatalogueEntry[]): string {
  const others = entries.map((entry) => entry.kind).filter((other) => other.kind !== kind.kind && meet(kind, other));
  const why = (other: AnyKind) => clashOf(kind, other);
  const excluded = [...Map.groupBy(others, why)].filter(([aspect]) => aspect !== undefined).toSorted(([a], [b]) => String(a).localeCompare(String(b)));
  const free = others.filter((other) => why(other) === undefined).map(link);
  const parts = excluded.map(([aspect, those]) => `for *${aspect}* ${those.map(link).join(', ')}`);
  const first = parts.length > 0 ? `on one target it excludes ${parts.join('; ')}.` : 'on one target it excludes no other.';
  return `${first} ${free.length > 0 ? `It goes together with ${free.join(', ')}.` : 'It goes together with none.'}`;
}

/** Whether there are targets that both can act on. */
function meet(one: AnyKind, other: AnyKind): boolean {
  return ['mc-1', 'edge -> proxy-1'].some((target) => [one, other].every((kind) => targetSchema(kind).safeParse(target).success));
}

function indexPage(entries: readonly CatalogueEntry[]): string {
  const families = [...Map.groupBy(entries, ({ family }) => family)].flatMap(([family, members]) => {
    const head = join(ROOT, 'harness/faults', family, 'kind.ts');
    const [about] = existsSync(head) ? paragraphsOf(readFileSync(head, 'utf8')) : [];
    return [
      '',
      `## ${family}`,
      '',
      ...(about === undefined ? [] : [wrapped(about), '']),
      '| fault | what it does | how it is written |',
      '| --- | --- | --- |',
      ...members.map(({ kind }) => `| ${link(kind)} | ${cell(kind.summary)} | \`${cell(callText(kind, kind.example))}\` |`),
    ];
  });
  return lines([
    '# Faults',
    '',
    wrapped(
      `The ${entries.length} faults that there are, by family. Each has a page that says what is seen of it on the wire, what it does not do, and how it is proven: a fault that no probe has seen ` +
        'bite, and has seen gone, makes its run invalid. How to write one of your own is in [Creating faults](../CREATING_FAULTS.md). These pages are made from the source by `npm run docs:faults`.',
    ),
    ...families,
    '',
    '## Which exclude each other',
    '',
    wrapped(
      "Two faults can be in force on one target at one time unless one of them changes what the other's proof needs: then nobody could say which of the two was seen, or that one is over. Two of one " +
        'kind never can. On different targets anything goes, but for a fault on a node together with one on a link that leads to it. A plan is refused for this before it starts.',
    ),
    '',
    '| fault | changes | its proof needs | goes with |',
    '| --- | --- | --- | --- |',
    ...entries.map(({ kind }) => `| ${link(kind)} | ${kind.alters.join(', ')} | ${kind.needs.join(', ')} | ${companions(kind, entries)} |`),
  ]);
}

function companions(kind: AnyKind, entries: readonly CatalogueEntry[]): string {
  const free = entries.map((entry) => entry.kind).filter((other) => meet(kind, other) && clashOf(kind, other) === undefined);
  return free.map(link).join(', ') || 'none';
}

function link({ kind }: AnyKind): string {
  return `[${kind}](${kind}.md)`;
}

/** A bar would end the cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function capital(text: string): string {
  return `${text[0]?.toUpperCase()}${text.slice(1)}`;
}

/** Broken at spaces, and never inside of code or of a link. */
function wrapped(text: string): string {
  const words = text.match(/(?:`[^`]*`|\[[^\]]*\]\([^)]*\)|[^\s`])+/g) ?? [];
  const rows = [''];
  for (const word of words) {
    const row = rows.at(-1) as string;
    if (row !== '' && row.length + 1 + word.length > WIDTH) rows.push(word);
    else rows[rows.length - 1] = row === '' ? word : `${row} ${word}`;
  }
  return rows.join('\n');
}

function lines(parts: readonly string[]): string {
  return `${parts.join('\n')}\n`;
}

function write(): void {
  const wanted = pages();
  mkdirSync(FOLDER, { recursive: true });
  for (const name of readdirSync(FOLDER)) if (!wanted.has(name)) rmSync(join(FOLDER, name));
  for (const [name, text] of wanted) writeFileSync(join(FOLDER, name), text);
  process.stdout.write(`docs/faults: ${wanted.size} pages\n`);
}

if (process.argv[1] === import.meta.filename) write();

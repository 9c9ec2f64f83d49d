/** The words of `aftershock fault NAME ...`: flags from the fault's own fields, and one line for whatever is wrong with them. */
import { Command, CommanderError } from 'commander';
import { type AftershockError, InputError, messageOf, unknownName } from '../core/errors.ts';
import { type Duration, milliseconds } from '../core/units.ts';
import { allowedBy } from '../faults/allowed.ts';
import { catalogue } from '../faults/catalogue.ts';
import type { Fault } from '../faults/index.ts';
import { type AnyKind, commandText, construct, type Field, fieldsOf, flagOf, targetField, targetSchema, valuesFrom } from '../faults/writing.ts';

/** What somebody asks for. */
export interface FaultWords {
  readonly kind: AnyKind;
  readonly fault: Fault;
  /** '10s' */
  readonly lasts: Duration;
  /** The id of a cluster, or its beginning. */
  readonly cluster?: string;
  readonly json: boolean;
}

/** What every fault takes; the fields of a fault are called otherwise. */
export const COMMON_FLAGS = ['on', 'for', 'cluster', 'json', 'help', 'verbose'] as const;

/** Help for whoever asks for it, as text; otherwise what is asked for. Throws InputError in one line. */
export function readFaultWords(words: readonly string[]): FaultWords | string {
  const [name, ...rest] = words;
  if (name === undefined) throw new InputError(`fault: none given; write one of ${names().join(', ')}`);
  if (name === '--help' || name === '-h') return overview();
  const kind = catalogue().find((entry) => entry.kind.kind === name)?.kind;
  if (!kind)
    throw name.startsWith('-') ? new InputError(`fault: its name comes first; write one of ${names().join(', ')}`) : unknownName('fault', name, names());
  const fields = fieldsOf(kind);
  const command = commandOf(kind, fields);
  try {
    command.parse([...rest], { from: 'user' });
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.exitCode === 0) return command.helpInformation();
    const [alone] = command.args;
    if (thrown.code === 'commander.excessArguments' && alone !== undefined)
      throw new InputError(`${name}: '${alone}' stands alone; its target is --on '${alone}'`, { cause: thrown });
    const flags = command.options.map(({ long }) => long).join(', ');
    throw new InputError(`${name}: ${thrown.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ')}; flags of ${name}: ${flags}`, { cause: thrown });
  }
  const { on, for: lasts, cluster, json, ...own } = command.opts<Partial<{ on: string; for: string; cluster: string; json: boolean }>>();
  if (on === undefined) throw new InputError(`--on: missing; write ${allowedTarget(kind)}`);
  if (lasts === undefined) throw new InputError("--for: missing; write a duration, such as '10s'");
  milliseconds(lasts, '--for');
  const fault = faultOf(kind, fields, on, own as Record<string, string>);
  return { kind, fault, lasts: lasts as Duration, ...(cluster === undefined ? {} : { cluster }), json: json ?? false };
}

function names(): string[] {
  return catalogue().map(({ kind }) => kind.kind);
}

function allowedTarget(kind: AnyKind): string {
  return allowedBy(targetSchema(kind));
}

/** No option is marked as required: what is missing is told in our own words, and after what nobody knows. */
function commandOf(kind: AnyKind, fields: readonly Field[]): Command {
  const command = new Command(`aftershock fault ${kind.kind}`)
    .description(`${kind.summary}\n\n  ${commandText(kind, kind.example, '10s')}`)
    .exitOverride()
    .configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
    .option('--on <target>', allowedTarget(kind))
    .option('--for <duration>', "how long, such as '10s'")
    .option('--cluster <id>', 'the cluster, where several stand');
  for (const { name, flag, allowed, required, otherwise } of fields) {
    const omitted = required ? '' : otherwise === undefined ? ' (may be left out)' : ` (default: ${String(otherwise)})`;
    command.option(`${flag} <${name.toLowerCase()}>`, `${allowed}${omitted}`);
  }
  return command.option('--json', 'say what happened as JSON');
}

function faultOf(kind: AnyKind, fields: readonly Field[], on: string, own: Readonly<Record<string, string>>): Fault {
  const missing = fields.find(({ name, required }) => required && !(name in own));
  if (missing) throw new InputError(`${missing.flag}: missing; write ${missing.allowed}`);
  let fault: Fault;
  try {
    fault = construct(kind, { ...valuesFrom(kind, own), [targetField(kind)]: on });
  } catch (thrown) {
    throw new InputError(`${kind.kind}: ${messageOf(thrown)}`, { cause: thrown as AftershockError });
  }
  const { error } = kind.schema.safeParse(fault);
  const [issue] = error?.issues ?? [];
  if (!issue) return fault;
  const key = String(issue.path[0] ?? '');
  const field = fields.find(({ name }) => name === key);
  const flag = key === targetField(kind) ? '--on' : key === '' ? kind.kind : flagOf(key);
  // What zod itself says of a type names no word of the command line.
  const text = issue.code === 'custom' || !field ? issue.message : `'${String(own[key])}' is not allowed; write ${field.allowed}`;
  throw new InputError(`${flag}: ${text.replace(/\s*\n\s*/g, ' ')}`);
}

/** Every fault with its own flags, by family. */
function overview(): string {
  const entries = catalogue();
  const width = Math.max(...entries.map(({ kind }) => kind.kind.length));
  const lines = [...Map.groupBy(entries, ({ family }) => family)].flatMap(([family, members]) => [
    '',
    `${family}:`,
    ...members.map(({ kind }) => `  ${kind.kind.padEnd(width)}  ${kind.summary}${ownFlags(kind)}`),
  ]);
  return [
    'Usage: aftershock fault <name> --on <target> --for <duration> [--cluster <id>] [--json] [its own flags]',
    '',
    "Puts one fault in force on a cluster that 'aftershock up' left standing, proves that it bites, heals it, and proves that it is gone.",
    ...lines,
    '',
    "'aftershock fault <name> --help' says what its flags take.",
    '',
  ].join('\n');
}

function ownFlags(kind: AnyKind): string {
  const flags = fieldsOf(kind).map(({ flag, required }) => (required ? flag : `[${flag}]`));
  return flags.length === 0 ? '' : `: ${flags.join(' ')}`;
}

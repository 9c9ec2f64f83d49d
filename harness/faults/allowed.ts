/** What a field of a fault may hold, as its schema tells it: in words for people, and from the words of a command line. */
import type { z } from 'zod';

type Def = {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly element?: z.ZodType;
  readonly options?: readonly z.ZodType[];
};

/** A schema without what is around it: optional, with a default, refined into another. */
export function innermost(schema: z.ZodType): z.ZodType & { readonly def: Def } {
  const { innerType, in: input } = schema.def as unknown as Def;
  return innerType ? innermost(innerType) : input ? innermost(input) : (schema as z.ZodType & { readonly def: Def });
}

/** "'in', 'out' or 'both'", 'a duration from 5 ms to 60 s': what it is described as, or else what its kind or its refusal tell. */
export function allowedBy(schema: z.ZodType): string {
  const inner = innermost(schema);
  const described = schema.description ?? inner.description;
  if (described !== undefined) return described;
  switch (inner.def.type) {
    case 'enum':
      return either((inner as unknown as { options: readonly unknown[] }).options);
    case 'literal':
      return either((inner as unknown as { def: { values: readonly unknown[] } }).def.values);
    case 'boolean':
      return 'true or false';
    case 'number':
      return numberWords(inner as unknown as NumberSchema);
    case 'union':
      return (inner.def.options ?? []).map(allowedBy).join(', or ');
    case 'array':
      return `several of: ${allowedBy(inner.def.element as z.ZodType)}`;
    default:
      return refusal(inner) ?? 'text';
  }
}

/** A value from a word: numbers and lists where the schema has them. What does not fit stays a word, for the schema to refuse. */
export function valueFrom(schema: z.ZodType, word: string): unknown {
  const { def } = innermost(schema);
  switch (def.type) {
    case 'number':
      return /^-?\d+(\.\d+)?$/.test(word) ? Number(word) : word;
    case 'boolean':
      return word === 'true' ? true : word === 'false' ? false : word;
    case 'array':
      return word.split(',').map((part) => valueFrom(def.element as z.ZodType, part.trim()));
    case 'union':
      return (
        (def.options ?? []).map((option) => ({ option, value: valueFrom(option, word) })).find(({ option, value }) => option.safeParse(value).success)?.value ??
        word
      );
    case 'object':
    case 'record':
      return parsed(word);
    default:
      return word;
  }
}

interface NumberSchema {
  readonly minValue: number | null;
  readonly maxValue: number | null;
  readonly format: string | null;
}

function numberWords({ minValue, maxValue, format }: NumberSchema): string {
  const what = format?.includes('int') ? 'a whole number' : 'a number';
  const limit = (value: number | null) => (value === null || Math.abs(value) >= Number.MAX_SAFE_INTEGER ? undefined : value);
  const [least, most] = [limit(minValue), limit(maxValue)];
  if (least !== undefined && most !== undefined) return `${what} from ${least} to ${most}`;
  return least !== undefined ? `${what} from ${least} on` : most !== undefined ? `${what} up to ${most}` : what;
}

/** A schema that refines text says what to write when it is given what nobody would: '...; write a name or a pattern, such as ...'. */
function refusal(schema: z.ZodType): string | undefined {
  const message = schema.safeParse('?').error?.issues[0]?.message ?? '';
  // 'is not the name of a node; write one, such as ...'
  const [, what, examples] = / is not (.*?); write one, (.*)$/.exec(message) ?? [];
  return what === undefined ? /; write (.*)$/.exec(message)?.[1] : `${what}, ${examples}`;
}

function either(values: readonly unknown[]): string {
  const words = values.map((value) => (typeof value === 'string' ? `'${value}'` : String(value)));
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} or ${words.at(-1)}` : (words[0] ?? 'nothing');
}

function parsed(word: string): unknown {
  try {
    return JSON.parse(word);
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return word;
    throw thrown;
  }
}

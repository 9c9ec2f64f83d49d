import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { allowedBy, valueFrom } from './allowed.ts';
import { catalogue } from './catalogue.ts';
import { faultSchema, latency, loss, reject } from './index.ts';
import { callText, commandText, construct, fieldsOf, targetField, valuesFrom } from './writing.ts';

const kinds = catalogue().map(({ kind }) => kind);
const kindOf = (name: string) => kinds.find(({ kind }) => kind === name) as (typeof kinds)[number];

describe('every fault', () => {
  it('is called like its file', () => {
    expect(kinds.length).toBeGreaterThan(9);
    expect(new Set(kinds.map(({ kind }) => kind)).size).toBe(kinds.length);
  });

  it.each(kinds)('$kind is made by its constructor, out of the fields that its schema has', (kind) => {
    const { kind: _, ...values } = kind.example as unknown as Record<string, unknown>;
    expect(construct(kind, values)).toEqual(kind.example);
    expect(faultSchema.safeParse(kind.example).error).toBeUndefined();
    expect(kind.target(kind.example).pattern).toBe(values[targetField(kind)]);
  });

  it.each(kinds)('$kind says of each field what is allowed', (kind) => {
    for (const { name, allowed } of fieldsOf(kind)) expect(allowed, name).not.toBe('text');
  });

  it.each(kinds)('$kind has an example whose needed fields stand in it', (kind) => {
    const text = commandText(kind, kind.example, '10s');
    for (const { flag, required } of fieldsOf(kind)) if (required) expect(text).toContain(`${flag} `);
  });
});

describe('a fault in words', () => {
  it('is the call of its constructor, without what that adds by itself', () => {
    expect(callText(kindOf('latency'), latency('proxy-* -> mc-3', '1s'))).toBe("latency('proxy-* -> mc-3', '1s')");
    expect(callText(kindOf('loss'), loss('mc-1', '5%', { direction: 'in' }))).toBe("loss('mc-1', '5%')");
    expect(callText(kindOf('loss'), loss('mc-1', '5%', { direction: 'both' }))).toBe("loss('mc-1', '5%', { direction: 'both' })");
  });

  it('is a command line, quoted where a shell would read it otherwise', () => {
    expect(commandText(kindOf('loss'), loss('mc-1|mc-2', '5%', { direction: 'out' }), '10s')).toBe(
      "npx aftershock fault loss --on 'mc-1|mc-2' --share 5% --direction out --for 10s",
    );
  });

  it('is made of the words of a command line, with the defaults of its constructor', () => {
    const kind = kindOf('loss');
    expect(construct(kind, { ...valuesFrom(kind, { share: '5%' }), on: 'mc-1' })).toEqual(loss('mc-1', '5%'));
    expect(construct(kindOf('reject'), { on: 'mc-1' })).toEqual(reject('mc-1'));
  });

  it('knows which of its fields may be left out, and what they are then', () => {
    const [share, direction] = ['share', 'direction'].map((name) => fieldsOf(kindOf('loss')).find((field) => field.name === name));
    expect(share).toMatchObject({ flag: '--share', required: true });
    expect(direction).toMatchObject({ flag: '--direction', required: false, otherwise: 'in' });
  });
});

describe('what a field may hold', () => {
  it.each([
    [z.enum(['in', 'out', 'both']).optional(), "'in', 'out' or 'both'"],
    [z.number().int().min(1).max(5), 'a whole number from 1 to 5'],
    [z.number().min(0.5), 'a number from 0.5 on'],
    [z.boolean(), 'true or false'],
    [z.string().refine(() => false, { error: "'?' is not a node; write a name" }), 'a name'],
    [z.string().refine(() => false, { error: "'?' is not the name of a node; write one, such as 'a'" }), "the name of a node, such as 'a'"],
    [z.string().describe('a duration'), 'a duration'],
    [z.array(z.enum(['a', 'b'])), "several of: 'a' or 'b'"],
  ])('is told in words', (schema, words) => {
    expect(allowedBy(schema)).toBe(words);
  });

  it('is read from a word; one that does not fit stays a word, for the schema to refuse', () => {
    expect(valueFrom(z.number().optional(), '12')).toBe(12);
    expect(valueFrom(z.number(), 'twelve')).toBe('twelve');
    expect(valueFrom(z.array(z.number()), '1, 2')).toEqual([1, 2]);
    expect(valueFrom(z.union([z.number(), z.literal('all')]), '3')).toBe(3);
    expect(valueFrom(z.union([z.number(), z.literal('all')]), 'all')).toBe('all');
    expect(valueFrom(z.string(), '12')).toBe('12');
    expect(valueFrom(z.strictObject({ a: z.number() }), '{"a":1}')).toEqual({ a: 1 });
  });
});

/**
 * How faults are written: as the call of a constructor in a scenario, and as a command line. Both are derived from a kind's schema, its example and its constructor, so that a new fault has
 * them without a word of its own.
 */
import type { z } from 'zod';
import { allowedBy, innermost, valueFrom } from './allowed.ts';
import type { FaultKind } from './fault.ts';
import * as faults from './index.ts';

export type AnyKind = FaultKind<faults.Fault>;
export type Values = Readonly<Record<string, unknown>>;

export interface Field {
  /** As in its data: 'maxBytes'. */
  readonly name: string;
  /** '--max-bytes' */
  readonly flag: string;
  /** What may be written there, in words. */
  readonly allowed: string;
  /** Without it there is no such fault. */
  readonly required: boolean;
  /** What it is when it is left out; undefined for nothing. */
  readonly otherwise: unknown;
}

/** 'drop-new' to 'dropNew': the name of a kind's constructor. */
export function constructorName(kind: string): string {
  return kind.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** 'maxBytes' to '--max-bytes'. */
export function flagOf(field: string): string {
  return `--${field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The field that names what a fault of this kind acts on: 'link', 'node', 'on'. */
export function targetField(kind: AnyKind): string {
  return faults.targetFieldOf(kind.example);
}

export function targetSchema(kind: AnyKind): z.ZodType {
  return shapeOf(kind)[targetField(kind)] as z.ZodType;
}

/** The schemas of its fields beside kind and target, in order. */
export function fieldSchemas(kind: AnyKind): [string, z.ZodType][] {
  return Object.entries(shapeOf(kind)).filter(([name]) => name !== 'kind' && name !== targetField(kind));
}

function shapeOf(kind: AnyKind): Record<string, z.ZodType> {
  return (innermost(kind.schema) as unknown as { shape: Record<string, z.ZodType> }).shape;
}

export function fieldsOf(kind: AnyKind): Field[] {
  return fieldSchemas(kind).map(([name, schema]) => {
    const without = attempted(kind, { ...kind.example, [name]: undefined });
    const required = without === undefined || !kind.schema.safeParse(without).success;
    const otherwise = required ? undefined : (without as unknown as Values)[name];
    return { name, flag: flagOf(name), allowed: allowedBy(schema), required, otherwise };
  });
}

/** Fields from the words of a command line. */
export function valuesFrom(kind: AnyKind, words: Readonly<Record<string, string>>): Record<string, unknown> {
  const schemas = new Map(fieldSchemas(kind));
  return Object.fromEntries(Object.entries(words).map(([name, word]) => [name, valueFrom(schemas.get(name) as z.ZodType, word)]));
}

/**
 * The fault as its constructor makes it, with the constructor's own defaults for what is left out: the target, then fields by position where a parameter is called like one, the others in an
 * object of options. Not checked; throws what the constructor throws.
 */
export function construct(kind: AnyKind, values: Values): faults.Fault {
  const [, ...parameters] = parametersOf(kind);
  const options = Object.fromEntries(
    fieldSchemas(kind).flatMap(([name]) => (parameters.includes(name) || values[name] === undefined ? [] : [[name, values[name]]])),
  );
  const args = parameters.map((name) => (name === undefined ? options : values[name]));
  // Who takes nothing but options where they differ from its own need not be given any.
  if (parameters.at(-1) === undefined && Object.keys(options).length === 0) args.pop();
  return maker(kind)(values[targetField(kind)], ...args) as faults.Fault;
}

/** "latency('proxy-* -> mc-3', '1s')" */
export function callText(kind: AnyKind, fault: faults.Fault): string {
  const values = saying(kind, fault);
  const positions = parametersOf(kind).slice(1);
  const options = fieldSchemas(kind).flatMap(([name]) => (name in values && !positions.includes(name) ? [name] : []));
  const words = [targetField(kind), ...positions].flatMap((name) => (name !== undefined && name in values ? [literal(values[name])] : []));
  if (options.length > 0) words.push(`{ ${options.map((name) => `${name}: ${literal(values[name])}`).join(', ')} }`);
  return `${constructorName(kind.kind)}(${words.join(', ')})`;
}

/** "npx aftershock fault latency --on 'proxy-* -> mc-3' --delay 1s --for 10s" */
export function commandText(kind: AnyKind, fault: faults.Fault, lasts: string): string {
  const values = saying(kind, fault);
  const flags = fieldsOf(kind)
    .filter(({ name }) => name in values)
    .map(({ name, flag }) => `${flag} ${shellWord(values[name])}`);
  return ['npx aftershock fault', kind.kind, `--on ${shellWord(values[targetField(kind)])}`, ...flags, `--for ${lasts}`].join(' ');
}

/** Those of a fault's values that its constructor would not have put there by itself. */
function saying(kind: AnyKind, fault: faults.Fault): Values {
  const { kind: _, ...values } = fault as unknown as Record<string, unknown>;
  const target = targetField(kind);
  for (const name of Object.keys(values)) {
    if (name === target) continue;
    const { [name]: __, ...without } = values;
    if (same(attempted(kind, without), fault)) delete values[name];
  }
  return values;
}

/** The names of a constructor's parameters; an object of options, or anything else that is no field, is undefined. The first one is the target. */
function parametersOf(kind: AnyKind): (string | undefined)[] {
  const [, list = ''] = /^\(?((?:[^()]|\([^()]*\))*?)\)?\s*=>|^function[^(]*\(([^)]*)\)/.exec(maker(kind).toString()) ?? [];
  const names = fieldSchemas(kind).map(([name]) => name);
  return topLevel(list).map((parameter) => names.find((name) => name === /^\w+/.exec(parameter.trim())?.[0]));
}

/** 'a, { b, c } = {}' to ['a', ' { b, c } = {}'] */
function topLevel(list: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const letter of list) {
    if ('{[('.includes(letter)) depth++;
    if ('}])'.includes(letter)) depth--;
    if (letter === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += letter;
  }
  return parts;
}

function maker(kind: AnyKind): (...args: unknown[]) => unknown {
  const make = (faults as unknown as Record<string, ((...args: unknown[]) => unknown) | undefined>)[constructorName(kind.kind)];
  if (!make) throw new Error(`fault '${kind.kind}': there is no constructor ${constructorName(kind.kind)}`);
  return make;
}

/** Undefined where the constructor refuses. */
function attempted(kind: AnyKind, values: Values): faults.Fault | undefined {
  try {
    return construct(kind, values);
  } catch {
    return undefined;
  }
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function literal(value: unknown): string {
  if (typeof value === 'string') return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  return `{ ${Object.entries(value)
    .map(([name, one]) => `${name}: ${literal(one)}`)
    .join(', ')} }`;
}

function shellWord(value: unknown): string {
  const text = Array.isArray(value) ? value.join(',') : typeof value === 'object' ? JSON.stringify(value) : String(value);
  return /^[\w.,:%/+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

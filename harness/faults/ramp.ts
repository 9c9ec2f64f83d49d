/** A fault whose magnitude changes over time: from one fault to another of its kind, that differ in nothing but magnitudes. */
import { InputError } from '../core/errors.ts';
import type { Fault } from './index.ts';

/** A number and its unit: '300ms', '5%', '100KB/s'. */
const MAGNITUDE = /^(\d+(?:\.\d+)?)([A-Za-z%/]+)$/;

/** The fault that is `part` (0 to 1) of the way from one to the other. Throws InputError naming the field in which they differ by something else than a magnitude. */
export function between(from: Fault, to: Fault, part: number, key: string): Fault {
  if (from.kind !== to.kind) throw new InputError(`${key}: '${to.kind}' is another fault than '${from.kind}'; a ramp leads to another magnitude of the same`);
  const [before, after] = [from, to].map((fault) => fault as unknown as Record<string, unknown>) as [Record<string, unknown>, Record<string, unknown>];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return Object.fromEntries([...names].map((name) => [name, valueBetween(before[name], after[name], part, `${key}.${name}`)])) as unknown as Fault;
}

function valueBetween(from: unknown, to: unknown, part: number, key: string): unknown {
  if (from === to) return from;
  if (typeof from === 'number' && typeof to === 'number') return rounded(from + (to - from) * part);
  const [one, other] = [from, to].map((value) => MAGNITUDE.exec(String(value)));
  if (!one || !other || one[2] !== other[2])
    throw new InputError(
      `${key}: '${String(from)}' and '${String(to)}' have nothing in between; write two magnitudes of the same unit, such as '10ms' and '500ms'`,
    );
  return `${rounded(Number(one[1]) + (Number(other[1]) - Number(one[1])) * part)}${one[2]}`;
}

/** To whole ones from ten on, and to a tenth below: no fault is dosed more finely. */
function rounded(value: number): number {
  return value >= 10 ? Math.round(value) : Math.round(value * 10) / 10;
}

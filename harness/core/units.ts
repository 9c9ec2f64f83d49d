/**
 * The units in which scenarios are written: '300ms', '95%', '2000/s', '20x'.
 *
 * A bare number never stands for a quantity, so that the unit is always where the eye is. Everything
 * is parsed once, by the functions below, and code further inside carries the unit in the name
 * (`delayMs`, `atLeastShare`).
 */
import { InputError } from './errors.ts';

export type Duration = `${number}ms` | `${number}s` | `${number}m` | `${number}h`;
export type Share = `${number}%`;
export type Rate = `${number}/s`;
export type Factor = `${number}x`;
/** Kilobytes of 1,000 bytes. */
export type Bytes = `${number}B` | `${number}KB` | `${number}MB`;
export type ByteRate = `${Bytes}/s`;

const MS_PER_UNIT = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** The longest span that anything in a run may last: a day. Longer is a typing error, not a test. */
export const LONGEST_MS = 24 * MS_PER_UNIT.h;

/** '1.5s' to 1500 (milliseconds). `key` names the value in the error. Throws InputError. */
export function milliseconds(duration: string, key = 'duration'): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(duration);
  if (!match) {
    throw new InputError(`${key}: '${duration}' is not a duration; write a number and a unit (ms, s, m or h), such as '300ms' or '1.5s'`);
  }
  const ms = Number(match[1]) * MS_PER_UNIT[match[2] as keyof typeof MS_PER_UNIT];
  if (!(ms <= LONGEST_MS)) throw new InputError(`${key}: '${duration}' is longer than a day; the longest allowed is '24h'`);
  return ms;
}

/** '95%' to 0.95. Throws InputError outside 0% to 100%. */
export function share(text: string, key = 'share'): number {
  const match = /^(\d+(?:\.\d+)?)%$/.exec(text);
  const value = match ? Number(match[1]) / 100 : Number.NaN;
  if (!(value <= 1)) throw new InputError(`${key}: '${text}' is not a share; write a percentage from '0%' to '100%'`);
  return value;
}

/** '2000/s' to 2000 (a second). Throws InputError for zero, and above a million. */
export function perSecond(text: string, key = 'rate'): number {
  const match = /^(\d+(?:\.\d+)?)\/s$/.exec(text);
  const value = match ? Number(match[1]) : Number.NaN;
  if (!(value > 0 && value <= 1_000_000)) {
    throw new InputError(`${key}: '${text}' is not a rate; write a number above zero and '/s', such as '2000/s' (1000000/s at most)`);
  }
  return value;
}

const BYTES_PER_UNIT = { B: 1, KB: 1_000, MB: 1_000_000 } as const;

/** '64KB' to 64000 (bytes). Throws InputError. */
export function byteCount(text: string, key = 'bytes'): number {
  const match = /^(\d+(?:\.\d+)?)(B|KB|MB)$/.exec(text);
  if (!match) throw new InputError(`${key}: '${text}' is not a number of bytes; write a number and a unit (B, KB or MB), such as '64KB'`);
  return Math.round(Number(match[1]) * BYTES_PER_UNIT[match[2] as keyof typeof BYTES_PER_UNIT]);
}

/** '100KB/s' to 100000 (bytes a second). Throws InputError. */
export function bytesPerSecond(text: string, key = 'rate'): number {
  const match = /^(\d+(?:\.\d+)?(?:B|KB|MB))\/s$/.exec(text);
  if (!match) throw new InputError(`${key}: '${text}' is not a rate; write bytes (B, KB or MB) and '/s', such as '100KB/s'`);
  return byteCount(match[1] as string, key);
}

/** '20x' to 20. Throws InputError for zero. */
export function factor(text: string, key = 'factor'): number {
  const match = /^(\d+(?:\.\d+)?)x$/.exec(text);
  const value = match ? Number(match[1]) : Number.NaN;
  if (!(value > 0 && Number.isFinite(value))) throw new InputError(`${key}: '${text}' is not a factor; write a number above zero and 'x', such as '3x'`);
  return value;
}

/** 1234.5 to '1.23 s', 3.456 to '3.46 ms', 0.0421 to '0.042 ms': three significant digits, for people. */
export function formatMs(ms: number): string {
  if (!Number.isFinite(ms)) return 'never';
  if (Math.abs(ms) >= 60_000) return `${(ms / 60_000).toPrecision(3)} min`;
  if (Math.abs(ms) >= 1_000) return `${significant(ms / 1_000)} s`;
  return `${significant(ms)} ms`;
}

/** 0.2934 to '29.3%', 0.99996 to '99.99%' (never rounded up to a whole that was not reached). */
export function formatShare(value: number): string {
  if (!Number.isFinite(value)) return 'none';
  const percent = value * 100;
  const digits = percent > 99 && percent < 100 ? 100 : 10;
  return `${Number((Math.floor(percent * digits + 1e-9) / digits).toFixed(2))}%`;
}

/** 98765 to '98.8 KB'. */
export function formatBytes(count: number): string {
  if (count >= 1_000_000) return `${significant(count / 1_000_000)} MB`;
  return count >= 1_000 ? `${significant(count / 1_000)} KB` : `${significant(count)} B`;
}

/** 21.44 to '21x', 3.14159 to '3.1x'. */
export function formatFactor(value: number): string {
  if (!Number.isFinite(value)) return 'none';
  return `${value >= 20 ? Math.round(value) : Number(value.toFixed(1))}x`;
}

function significant(value: number): string {
  return String(Number(value.toPrecision(3)));
}

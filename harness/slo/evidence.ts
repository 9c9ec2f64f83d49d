/** What all objectives share: how much evidence suffices, and how a verdict is put together. */
import { type Among, type Phase, phaseInWords } from '../timeline/phases.ts';
import type { Verdict } from './types.ts';

/** With fewer requests due, one of them would move a share by more than 1%. */
export const LEAST_DUE = 100;

/**
 * How many requests a percentile needs: ten beyond it, so that one stray request does not decide.
 * 10 / (1 - 99/100) = 1,000 for a p99, 10,000 for a p99.9, 20 for a median.
 */
export function leastForPercentile(percent: number): number {
  return Math.ceil(1_000 / (100 - percent) - 1e-6);
}

/** 12345.6 to '12,346': a count for people. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US');
}

/** ' of healthy shards', or nothing where all requests are meant. */
export function ofAmong(among: Among): string {
  return among === 'all requests' ? '' : ` of ${among}`;
}

/** 'a p99 needs 1,000 requests of healthy shards during the fault; there were 12'. */
export function tooFew(what: string, least: number, among: Among, phase: Phase, graceMs: number, had: number): string {
  return `${what} needs ${formatCount(least)} requests${ofAmong(among)} ${phaseInWords(phase, graceMs)}; there were ${formatCount(had)}`;
}

/** The evidence does not suffice: `because` says what is missing. */
export function unknownVerdict(limit: string, because: string, figures: Readonly<Record<string, number | undefined>> = {}): Verdict {
  return { status: 'unknown', limit, measured: 'unknown', figures: finite(figures), because };
}

/** Figures that are numbers: what was not measured is left out, never NaN or infinite. */
export function finite(figures: Readonly<Record<string, number | undefined>>): Record<string, number> {
  const kept: Record<string, number> = {};
  for (const [name, value] of Object.entries(figures)) {
    if (value !== undefined && Number.isFinite(value)) kept[name] = value;
  }
  return kept;
}

/** Shares are compared as written: 99.9% is 0.9990000000000001 as a number, and 999 of 1,000 reach it. */
export const ROUNDING = 1e-9;

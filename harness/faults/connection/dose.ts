/** What has to be seen of a flood where it arrives, for each thing that it can do with its connections. */
import type { FloodForm } from '../../cluster/flood-form.ts';
import type { FloodTold } from '../../cluster/flooder.ts';
import type { ConnectionsSeen } from '../../cluster/types.ts';
import type { Arrived } from './arrivals.ts';

/** One look at a flood, at one target. */
export interface Look {
  readonly seen: ConnectionsSeen;
  readonly told: FloodTold;
  /** The counts now, and those of a look about a span before; undefined while there is none. */
  readonly now: Arrived;
  readonly before: Arrived | undefined;
}

/**
 * Nine tenths: half of the dose is far below, and a connection or two in the middle of being made or being closed are not missed. Of a rate three quarters, which lies half way to half of it:
 * on a busy machine a program stands for a tenth of a second, and catches up.
 */
const MOST = 0.9;
const MOST_OF_A_RATE = 0.75;
/** Over so long a rate is counted, ms. */
const SPAN_MS = 1_000;

/**
 * Over how long its counts are looked at, ms. A herd over less than from one round to the next: in that time it comes once at most, so that half a herd is never seen twice.
 */
export function spanMs(form: FloodForm): { readonly least: number; readonly most: number } {
  if (form.kind === 'herd') return { least: form.everyMs / 2, most: 0.95 * form.everyMs };
  return { least: form.kind === 'idle' || form.kind === 'never-reading' ? 0 : SPAN_MS, most: Number.POSITIVE_INFINITY };
}

/** From its begin until all of it has been seen, ms: a herd has to come again. */
export function showingMs(form: FloodForm): number {
  return openingMs(form) + (form.kind === 'herd' ? 2 * form.everyMs : spanMs(form).least);
}

/** For how long connections are opened, ms: at its rate, or as fast as they are answered, which was never slower than 1,000 a second even through three proxies on two processors. */
function openingMs(form: FloodForm): number {
  if (!('connections' in form)) return 0;
  return (form.connections * 1_000) / (('ratePerSecond' in form ? form.ratePerSecond : undefined) ?? 1_000);
}

/** What is asked, in words. */
export function askedOf(form: FloodForm): string {
  switch (form.kind) {
    case 'churn':
      return `${form.ratePerSecond}/s new connections`;
    case 'half-closed':
      return `${form.ratePerSecond}/s new connections, each with its FIN`;
    case 'herd':
      return `${form.connections} new connections in one round, and again after ${form.everyMs} ms`;
    case 'idle':
      return `${form.connections} connections standing`;
    case 'never-reading':
      return `${form.connections} connections standing, with bytes that nobody takes`;
    case 'slow-sender':
      return `${form.connections} connections standing, with a packet each ${form.everyMs} ms`;
  }
}

/** Whether it is seen. What the target has turned away has come, too: how many it keeps is its own affair. */
export function bites(form: FloodForm, look: Look): boolean {
  const { seen, told } = look;
  switch (form.kind) {
    case 'churn':
      return rateOf(look, 'opening') >= MOST_OF_A_RATE * form.ratePerSecond;
    case 'half-closed':
      return rateOf(look, 'opening') >= MOST_OF_A_RATE * form.ratePerSecond && rateOf(look, 'closing') >= MOST_OF_A_RATE * form.ratePerSecond;
    case 'herd':
      return (look.before ? look.now.opening - look.before.opening : 0) >= MOST * form.connections && look.now.opening >= (1 + MOST) * form.connections;
    default: {
      const kept = MOST * (form.connections - told.turnedAway);
      // What was turned away is known from the program that floods alone, and has come only as far as the kernel has counted it.
      if (look.now.opening < MOST * form.connections) return false;
      // Counted where it arrives; and answered, for a proxy that has nothing behind it takes connections, too.
      const isThere = seen.standing > 0 && told.open > 0 && seen.standing >= kept && told.open >= kept;
      if (form.kind === 'never-reading') return isThere && seen.unread >= MOST * seen.standing;
      if (form.kind === 'slow-sender') return isThere && rateOf(look, 'bearing') >= (MOST_OF_A_RATE * seen.standing * 1_000) / form.everyMs;
      return isThere;
    }
  }
}

/** What is seen, in words. */
export function toldOf(form: FloodForm, look: Look): string {
  const { seen, told, now } = look;
  const rate = (of: 'opening' | 'closing' | 'bearing') => (look.before ? `${Math.round(rateOf(look, of))}/s` : 'not yet known');
  const stand = `${now.opening} connections opened, ${seen.standing} standing (${told.open} answered), ${told.turnedAway} turned away`;
  switch (form.kind) {
    case 'churn':
      return `${rate('opening')} new connections, ${now.opening} in all`;
    case 'half-closed':
      return `${rate('opening')} new connections, ${rate('closing')} FIN, ${seen.halfClosed} half closed now`;
    case 'herd':
      return `${look.before ? now.opening - look.before.opening : 'not yet known how many'} new connections within ${form.everyMs} ms, ${now.opening} in all, ${seen.standing} standing`;
    case 'idle':
      return stand;
    case 'never-reading':
      return `${stand}, ${seen.unread} with bytes that nobody takes`;
    case 'slow-sender':
      return `${stand}, ${rate('bearing')} packets`;
  }
}

/** Packets a second; 0 while it is not known. */
function rateOf({ now, before }: Look, of: 'opening' | 'closing' | 'bearing'): number {
  return before ? ((now[of] - before[of]) * 1_000) / (now.atMs - before.atMs) : 0;
}

/**
 * What can be waited for on a running timeline: connections at a node, slow answers, failures. Everything here is judged by what has been seen so far, ten times a second, so it speaks of requests by
 * when they ended; verdicts speak of them by when they were due, and are made afterwards.
 */
import { z } from 'zod';
import { matches } from '../core/names.ts';
import { type Duration, formatMs, formatShare, milliseconds, type Share, share } from '../core/units.ts';
import { shareOf, wholeMs } from '../faults/fields.ts';
import type { Running } from './running.ts';

export type Condition =
  | { readonly kind: 'connections'; readonly at: string; readonly atLeast: number }
  | { readonly kind: 'slow'; readonly above: Duration; readonly lasting: Duration }
  | { readonly kind: 'failing'; readonly above: Share; readonly lasting: Duration };

/** So many connections at a node of which the sockets are watched (or at several together, by a pattern): 'the limit is reached'. */
export const connectionsReach = (at: string, atLeast: number): Condition => ({ kind: 'connections', at, atLeast });

/** The p99 of what ends of one of the loads in a tenth of a second is above this, in every one in which anything ends, for so long. Failures rank behind every answer. */
export const p99Above = (above: Duration, options: { readonly lasting?: Duration } = {}): Condition => ({
  kind: 'slow',
  above,
  lasting: options.lasting ?? '500ms',
});

/** More than this share of what ends has failed, over so long. */
export const failuresAbove = (above: Share, options: { readonly lasting?: Duration } = {}): Condition => ({
  kind: 'failing',
  above,
  lasting: options.lasting ?? '500ms',
});

const lasting = wholeMs(100, 60_000);

export const conditionSchema: z.ZodType<Condition> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('connections'), at: z.string().min(1), atLeast: z.int().min(1).max(1_000_000) }),
  z.strictObject({ kind: z.literal('slow'), above: wholeMs(1, 60_000), lasting }),
  z.strictObject({ kind: z.literal('failing'), above: shareOf(0.001), lasting }),
]) as unknown as z.ZodType<Condition>;

/** For people: '500 connections at edge'. */
export function describeCondition(condition: Condition): string {
  switch (condition.kind) {
    case 'connections':
      return `${condition.atLeast} connections at ${condition.at}`;
    case 'slow':
      return `p99 above ${condition.above} for ${condition.lasting}`;
    case 'failing':
      return `more than ${condition.above} failing for ${condition.lasting}`;
  }
}

/** Whether it is so at this moment, and what is seen of it: as a number (more is nearer), and in words. */
export function look(condition: Condition, running: Running): { holds: boolean; value: number; seen: string } {
  switch (condition.kind) {
    case 'connections': {
      const count = running.gauge('sockets.total', (node) => matches(condition.at, node));
      return { holds: (count ?? 0) >= condition.atLeast, value: count ?? -1, seen: count === undefined ? 'nobody counting' : `${count} connections` };
    }
    case 'slow': {
      const { spansMs, slices } = running.last(milliseconds(condition.lasting));
      const ended = slices.filter((slice) => slice.answered + slice.failed > 0);
      // Of each load what was best in all that time; and of the loads the worst.
      const best = [...Map.groupBy(ended, ({ load }) => load).values()].map((those) => Math.min(...those.map(p99Of)));
      const worst = Math.max(-1, ...best);
      return {
        holds: spansMs >= milliseconds(condition.lasting) && worst > milliseconds(condition.above),
        value: worst,
        seen: worst < 0 ? 'nothing end' : `p99 ${worst === Number.POSITIVE_INFINITY ? 'lost to failures' : formatMs(worst)}`,
      };
    }
    case 'failing': {
      const { spansMs, slices } = running.last(milliseconds(condition.lasting));
      const sum = (key: 'answered' | 'failed') => slices.reduce((total, slice) => total + slice[key], 0);
      const [answered, failed] = [sum('answered'), sum('failed')];
      const failing = failed / (answered + failed);
      return {
        holds: spansMs >= milliseconds(condition.lasting) && failing > share(condition.above),
        value: answered + failed === 0 ? -1 : failing,
        seen: answered + failed === 0 ? 'nothing end' : `${formatShare(failing)} failing`,
      };
    }
  }
}

/** With more than one of a hundred failed, there is no p99. */
function p99Of({ answered, failed, p99Ms }: { answered: number; failed: number; p99Ms?: number }): number {
  return failed > (answered + failed) / 100 ? Number.POSITIVE_INFINITY : (p99Ms ?? 0);
}

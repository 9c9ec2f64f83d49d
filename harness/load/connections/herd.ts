/**
 * A herd: clients that keep one connection each and come back when it is gone, all of them at the same time, or spread.
 *
 * They connect when the herd begins, and each `everyMs` all that are open are closed and connect again. Who loses its connection, or could not connect, comes back as well: at once or spread
 * in the same way, but never sooner than `restMs` after it began the last time, since a herd that nothing holds back would be a busy loop around every server that refuses.
 */
import type { Random } from '../../core/random.ts';
import { Agenda } from '../agenda.ts';
import type { Behaviour } from './behaviour.ts';
import type { Connection } from './connection.ts';

export interface HerdOptions {
  readonly atMs: number;
  readonly members: number;
  /** Infinite: only who lost its connection comes back. */
  readonly everyMs: number;
  /** 0: all in one moment. */
  readonly spreadMs: number;
  /** Within the spread each member has its place, at the same distance from the next (`even`), or draws a moment each time (`full`). */
  readonly jitter: 'even' | 'full';
  readonly restMs: number;
}

export function herd({ atMs, members, everyMs, spreadMs, jitter, restMs }: HerdOptions, random: Random): Behaviour {
  /** Members that have no connection, by when they connect. */
  const coming = new Agenda<number>();
  const connections: (Connection | undefined)[] = [];
  let nextRoundMs = atMs;
  let rounds = 0;
  const losses = random.fork('losses');
  const offsetMs = (member: number, draws: Random) => (jitter === 'even' ? (member * spreadMs) / members : draws.next() * spreadMs);
  return {
    nextDueMs: () => Math.min(coming.nextMs, nextRoundMs),
    take: () => coming.take(Number.POSITIVE_INFINITY) as number,
    turn: (untilMs) => {
      while (nextRoundMs <= untilMs) {
        // A round's moments owe nothing to what was lost before it.
        const draws = random.fork(`round ${rounds}`);
        for (let member = 0; member < members; member++) {
          const connection = connections[member];
          // Who is on the way already goes on; in the first round nobody is.
          const offset = offsetMs(member, draws);
          if (rounds > 0 && !connection?.isAnswered) continue;
          connection?.leave();
          coming.add(nextRoundMs + offset, member);
        }
        nextRoundMs += everyMs;
        rounds++;
      }
    },
    connected: (connection) => {
      connections[connection.ticket] = connection;
      connection.ask();
    },
    ended: (connection, nowMs, how) => {
      const member = connection.ticket;
      connections[member] = undefined;
      if (how !== 'left') coming.add(Math.max(nowMs + offsetMs(member, losses), connection.beganMs + restMs), member);
    },
  };
}

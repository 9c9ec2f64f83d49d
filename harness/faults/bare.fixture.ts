/** A real memcached behind one link, for the tests of faults: one cluster a file, taken down afterwards. */
import { beforeAll } from 'vitest';
import { bareCache } from '../../containers/cache.ts';
import type { Answer, Prober } from '../cluster/types.ts';
import { type Standing, useCluster } from './cluster.fixture.ts';

export interface Bare extends Standing {
  /** Through the link 'client-1 -> mc-1'. */
  readonly throughLink: Prober;
  /** Straight to mc-1. */
  readonly straight: Prober;
}

/** Call it at the top of a test file; what it answers with is filled before the first test. */
export function useBareCluster(): Bare {
  const bare = useCluster(bareCache()) as { -readonly [K in keyof Bare]: Bare[K] };
  beforeAll(async () => {
    bare.throughLink = await bare.cluster.link('client-1 -> mc-1').prober();
    bare.straight = await bare.cluster.node('mc-1').prober();
  });
  return bare;
}

/** How several exchanges ended: 'answered', 'silent', 'refused', 'closed'. */
export async function kinds(prober: Prober, connection: 'kept' | 'new', times = 3, patienceMs = 300): Promise<Answer['kind'][]> {
  const answers: Answer['kind'][] = [];
  for (let i = 0; i < times; i++) answers.push((await prober.ask(connection, patienceMs)).kind);
  return answers;
}

/** How long several exchanges took, ms; fails when one was not answered within five seconds. */
export async function times(prober: Prober, connection: 'kept' | 'new', count = 5): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < count; i++) {
    const answer = await prober.ask(connection, 5_000);
    if (answer.kind !== 'answered') throw new Error(`a probe was ${answer.kind}`);
    all.push(answer.ms);
  }
  return all.toSorted((a, b) => a - b);
}

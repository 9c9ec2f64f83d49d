/** A load of requests as a program runs it: connections and keys first, then the engine. */
import type { Random } from '../core/random.ts';
import type { Carrier } from './carrier.ts';
import type { Arrivals } from './demand/arrivals.ts';
import { type Demand, Schedule } from './demand/demand.ts';
import { pacerOf, partOf } from './demand/pacer.ts';
import { Workers } from './demand/workers.ts';
import { Engine } from './engine.ts';
import { type Pacing, wakerOf } from './pacing/waker.ts';
import type { Pool } from './pool/pool.ts';
import type { PoolOptions } from './pool/pool-options.ts';
import type { Load, Prepared } from './program.ts';
import type { Workload } from './protocol.ts';
import { rehearse } from './rehearsal.ts';
import { reopen, warmUp } from './warm-up.ts';
import { byPublicMeans } from './wires/handle.ts';

/** Which part of the whole this process is, from 0. */
export interface Part {
  readonly index: number;
  readonly of: number;
}

/** Who asks: a schedule, or workers (their number is that of the connections). */
export type Asking =
  | { readonly kind: 'schedule'; readonly arrivals: Arrivals; readonly part: Part }
  | {
      readonly kind: 'workers';
      readonly workers: number;
      readonly batch: number;
      readonly thinkMs: number;
      readonly jitter: boolean;
      readonly part: Part;
    };

export interface RequestLoad {
  readonly asking: Asking;
  readonly workload: Workload;
  readonly deadlineMs: number;
  readonly pacing?: Pacing;
  readonly random: Random;
  /** Worth telling of how it runs. */
  readonly note?: string;
  /** Connects, and stores every key. */
  readonly warmUp: () => Promise<Carrier>;
  /** Opens again what a rehearsal has lost. */
  readonly reopened?: (carrier: Carrier) => Promise<void>;
  /** What is asked before the load begins, a new one each time; it must leave behind what was stored. Without it, nothing is asked. */
  readonly rehearsal?: () => Workload;
}

export function demandOf(asking: Asking, forMs: number, random: Random): Demand {
  if (asking.kind === 'workers') return new Workers({ ...asking, forMs, random: random.fork(`thinking of ${asking.part.index}`) });
  const pacer = pacerOf(asking.arrivals, forMs, random);
  return new Schedule(asking.part.of === 1 ? pacer : partOf(pacer, asking.part.index, asking.part.of));
}

/** The load of a client that has a pool of connections. */
export function pooledLoad(load: Omit<RequestLoad, 'warmUp' | 'reopened' | 'deadlineMs' | 'note'> & { readonly pool: PoolOptions }): Load {
  const { deadlineMs, connections, wires } = load.pool;
  return requestLoad({
    ...load,
    ...(wires?.why === undefined ? {} : { note: byPublicMeans(wires.why) }),
    deadlineMs,
    warmUp: () => warmUp(load.pool, load.workload),
    reopened: (carrier) => reopen(carrier as Pool, connections),
  });
}

export function requestLoad({ asking, workload, deadlineMs, pacing = 'economical', random, note, warmUp: warmedUp, rehearsal, reopened }: RequestLoad): Load {
  return {
    prepare: async (): Promise<Prepared> => {
      const carrier = await warmedUp();
      const waker = wakerOf(pacing);
      if (rehearsal) {
        await rehearse({ carrier, workload: rehearsal, deadlineMs, waker });
        await reopened?.(carrier);
      }
      let engine: Engine | undefined;
      return {
        connections: carrier.open,
        start: (zeroMs, forMs, tell) => {
          if (note !== undefined) tell.finding('note', note);
          engine = new Engine({
            carrier,
            workload,
            demand: demandOf(asking, forMs, random),
            deadlineMs,
            zeroMs,
            waker,
            onReport: tell.report,
            onDone: tell.done,
            onShortOf: (code) => tell.fail(`the client ran out of what a connection needs on its own side (${code}): fewer connections, or higher limits`),
          });
          engine.start();
          carrier.begin?.();
        },
        stop: () => engine?.stop(),
        close: () => {
          engine?.close();
          waker.close();
          carrier.close();
        },
      };
    },
  };
}

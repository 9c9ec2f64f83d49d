/**
 * What faults of packets have in common that nftables alone cannot do: a wire through which the packets of a port are led, at a node or at a link's near end, and datagrams that tell
 * what becomes of them there.
 */
import { z } from 'zod';
import type { Cluster, Passage } from '../../cluster/types.ts';
import type { Landed } from '../../cluster/wire.ts';
import { linkEnds, matchingLinks } from '../../core/names.ts';
import { formatMs } from '../../core/units.ts';
import { ANSWERING, type Aspect, type FaultKind, type Prepared } from '../fault.ts';
import { passageTarget } from '../fields.ts';
import { asBefore, type Baseline, baselineOf, onAll, openProbers, PATIENCE_MS, type Probers, proof, tally, until } from '../probing.ts';
import { farEnds, matchingNodes, namesOfMatching } from '../targets.ts';
import type { Direction } from './nft.ts';
import { DRIVERS, type Driver, type Effects } from './wire/effects.ts';
import { flown, healthyMs, isHealthy, medianOf, type Sent, told, type WirePlace, wirePlacesOf } from './wire/flown.ts';
import { type Laid, layWire } from './wire/lay.ts';
import { lackingForDriver, lackingForWires } from './wire/preflight.ts';

export interface OnWire {
  readonly kind: string;
  /** Nodes or links, by name or pattern. */
  readonly on: string;
  /** As the node sees it, or the link's far end. */
  readonly direction: 'in' | 'out' | 'both';
  /** What does it; netem where the kernel has it and else tun, when left out. */
  readonly driver?: Driver;
}

export interface WireOptions {
  readonly direction?: OnWire['direction'];
  readonly driver?: Driver;
}

/** The last argument of a constructor, as data. */
export function wireFields({ direction = 'in', driver }: WireOptions): { direction: OnWire['direction']; driver?: Driver } {
  return driver === undefined ? { direction } : { direction, driver };
}

/** What datagrams have to meet on a way that the fault is on. */
export interface Flying {
  readonly asked: string;
  readonly sent: Sent;
  /** `healthyMs` is the median time under way before the fault. */
  bites(landed: Landed, healthyMs: number): boolean;
  told(landed: Landed, healthyMs: number): string;
}

/** What exchanges over kept and new connections have to meet. */
export interface Asking {
  readonly asked: string;
  readonly patienceMs: number;
  bites(kind: 'kept' | 'new', ms: number, baseline: Baseline): boolean;
}

/** Less cannot be told from half of it within two seconds: 12,544 datagrams. */
export const LEAST_FLIGHT_SHARE = 0.02;
/** What a receiver in JavaScript takes in without losing any on a busy machine. */
export const FLIGHT_PER_SECOND = 6_000;

export interface WiredFault<F extends OnWire> extends Pick<FaultKind<F>, 'summary' | 'example'> {
  readonly kind: F['kind'];
  /** Its fields beside kind, on, direction and driver. */
  readonly fields: z.ZodRawShape;
  readonly refine?: (fault: F, context: z.RefinementCtx) => void;
  readonly alters: readonly Aspect[];
  /** What it is, for people, without direction and target: 'packet delay 50ms'. */
  phrase(fault: F): string;
  effects(fault: F): Effects;
  flying(fault: F): Flying;
  asking?(fault: F): Asking;
}

export function wiredFault<F extends OnWire>({ kind, summary, example, fields, refine, alters, phrase, effects, flying, asking }: WiredFault<F>): FaultKind<F> {
  const schema = z
    .strictObject({ kind: z.literal(kind), on: passageTarget, direction: z.enum(['in', 'out', 'both']), driver: z.enum(DRIVERS).optional(), ...fields })
    .superRefine((data, context) => refine?.(data as unknown as F, context));
  return {
    kind,
    summary,
    example,
    alters: ['packets', ...alters],
    needs: ['packets', ...ANSWERING],
    schema: schema as unknown as z.ZodType<F>,
    target: ({ on }) => ({ kind: linkEnds(on) ? 'link' : 'node', pattern: on }),
    describe: (fault) => `${phrase(fault)} ${fault.direction === 'both' ? 'in and out' : fault.direction} on ${fault.on}`,
    affects: ({ on }, cluster) => (linkEnds(on) ? farEnds(on, cluster) : namesOfMatching(on, cluster)),
    provingMs: (fault) => {
      const { sent } = flying(fault);
      return 1_000 + waysOf(fault.direction).length * (sent.lateMs + (1_000 * sent.count) / sent.perSecond) + (asking?.(fault).patienceMs ?? 0);
    },
    lacks: (engine) => lackingForWires(engine),
    lacksFor: ({ driver }, engine) => lackingForDriver(driver, engine),
    ready: async ({ on }, cluster) => {
      await wirePlacesOf(passagesOf(on, cluster));
    },
    prepare: (fault, cluster) => prepareWired(fault, passagesOf(fault.on, cluster), effects(fault), flying(fault), asking?.(fault)),
  };
}

function passagesOf(on: string, { nodes, links }: Cluster): readonly Passage[] {
  return linkEnds(on) ? matchingLinks(on, links) : matchingNodes(on, nodes);
}

const WAYS = ['in', 'out'] as const;

function waysOf(direction: OnWire['direction']): Direction[] {
  return direction === 'both' ? [...WAYS] : [direction];
}

/** Enough to see a fault that is where it should not be, or is not gone: at a share of 2%, twelve of them, and none once in e^12 = 160,000 looks, of which there are some 30 before a proof gives up. */
const GLANCE: Sent = { count: 600, perSecond: 2_000, lateMs: 0 };
/** A way that nothing is done to: datagrams come within this of what they took before, ms, for on a busy machine their receiver waits a scheduling slice (4 ms) at times. */
const UNTOUCHED_MS = 3;

interface Way {
  readonly place: WirePlace;
  readonly direction: Direction;
  readonly healthyMs: number;
  readonly isFaulty: boolean;
}

async function prepareWired(fault: OnWire, passages: readonly Passage[], effects: Effects, flying: Flying, asking: Asking | undefined): Promise<Prepared> {
  const directions = waysOf(fault.direction);
  const places = await wirePlacesOf(passages);
  const ways = (
    await forEachPlace(places, async (place) => {
      const both: Way[] = [];
      for (const direction of WAYS) both.push({ place, direction, healthyMs: await healthyMs(place, direction), isFaulty: directions.includes(direction) });
      return both;
    })
  ).flat();
  const probers = await openProbers(passages);
  const baseline = await baselineOf(probers);
  return {
    close: probers.close,
    async inject() {
      const wires: Laid[] = [];
      const inForce = await onAll(
        places.map(({ passage, hand }) => async () => {
          const wire = await layWire(passage, hand, { effects, directions, ...(fault.driver && { driver: fault.driver }) });
          wires.push(wire);
          return wire;
        }),
      );
      const through = async () => (await Promise.all(wires.map((wire) => wire.bitten()))).reduce((sum, one) => sum + one, 0);
      return {
        ...inForce,
        prove: (limitMs) =>
          until(async () => {
            const seen = await eachWay(places, ways, (way) => (way.isFaulty ? seenOn(way, flying) : untouched(way)));
            const exchanges = asking && (await asked(probers, asking, baseline));
            const before = await through();
            const answers = await probers.askAll(PATIENCE_MS);
            const byExchanges = (await through()) - before;
            // Connections go through the wire, too, and not datagrams alone: each exchange is a packet either way at least.
            const isMet = byExchanges >= Math.max(1, answers.filter(({ kind }) => kind === 'answered').length);
            return proof(
              seen.every(({ holds }) => holds) && isMet && (exchanges?.holds ?? true),
              [flying.asked, ...(asking ? [asking.asked] : [])].join('; '),
              [
                ...seen.map(({ words }) => words),
                ...(exchanges ? [exchanges.words] : []),
                `${await through()} packets through ${wires[0]?.driver ?? 'no wire'}, ${byExchanges} of them while ${answers.length} exchanges were made`,
              ].join('; '),
            );
          }, limitMs),
        proveHealed: (limitMs) =>
          until(async () => {
            const seen = await eachWay(places, ways, untouched);
            const answers = await probers.askAll(Math.max(300, asking?.patienceMs ?? 0));
            const holds = seen.every((one) => one.holds) && asBefore(answers, baseline);
            return proof(
              holds,
              'datagrams come once, in order and as fast as before; answers as before',
              [...seen.map(({ words }) => words), tally(answers)].join('; '),
            );
          }, limitMs),
      };
    },
  };
}

interface Seen {
  readonly holds: boolean;
  readonly words: string;
}

async function seenOn({ place, direction, healthyMs: usualMs }: Way, { sent, bites, told: tell }: Flying): Promise<Seen> {
  const landed = await flown(place, direction, sent);
  return { holds: bites(landed, usualMs), words: `${direction}: ${tell(landed, usualMs)}` };
}

async function untouched({ place, direction, healthyMs: usualMs }: Way): Promise<Seen> {
  const landed = await flown(place, direction, GLANCE);
  const ms = medianOf(landed.underWayMs);
  const holds = isHealthy(landed, GLANCE.count) && Math.abs(ms - usualMs) <= UNTOUCHED_MS;
  return { holds, words: isHealthy(landed, GLANCE.count) ? `${direction}: as before, ${formatMs(ms)}` : `${direction}: ${told(landed, GLANCE.count)}` };
}

/** Places at once, and the ways of each one after the other: only one can have the port at a time. */
async function eachWay(places: readonly WirePlace[], ways: readonly Way[], see: (way: Way) => Promise<Seen>): Promise<Seen[]> {
  const all = await forEachPlace(places, async (place) => {
    const seen: Seen[] = [];
    for (const way of ways.filter((one) => one.place === place)) seen.push(await see(way));
    return seen;
  });
  return all.flat();
}

function forEachPlace<T>(places: readonly WirePlace[], act: (place: WirePlace) => Promise<T>): Promise<T[]> {
  return Promise.all(places.map(act));
}

async function asked(probers: Probers, { patienceMs, bites }: Asking, baseline: Baseline): Promise<Seen> {
  const answers = await probers.askAll(patienceMs);
  // Of each target the kept one first.
  const holds = answers.every((answer, index) => answer.kind === 'answered' && bites(index % 2 === 0 ? 'kept' : 'new', answer.ms, baseline));
  const words = answers.map((answer, index) => `${index % 2 === 0 ? 'kept' : 'new'} ${answer.kind} after ${formatMs(answer.ms)}`);
  return { holds, words: words.join(', ') };
}

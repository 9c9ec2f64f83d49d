/** Lays a wire where packets pass, by the driver that there is, and takes it up again. */
import type { Disturbance, Passage } from '../../../cluster/types.ts';
import type { WireHand, WireScript } from '../../../cluster/wire.ts';
import { EnvironmentError } from '../../../core/errors.ts';
import { removedByAnother, toldWhenEnded } from '../gone.ts';
import type { Direction } from '../nft.ts';
import type { Driver, Effects } from './effects.ts';
import { netemEnds, netemRemoval, netemWire } from './netem.ts';
import { routesFamilies, routesMake, routesRemove, routesSteering } from './routes.ts';
import { type Ends, steering, steeringRemoval, steeringRenewal } from './steering.ts';
import { tunEnds, tunProgram } from './tun.ts';

export interface Laid extends Disturbance {
  readonly driver: Driver;
  /** Packets that have been led through it. */
  bitten(): Promise<number>;
}

let number = 0;

/** `driver` left out: netem where the kernel has it, else tun. */
export async function layWire(
  passage: Passage,
  hand: WireHand,
  { effects, directions, driver = 'either' }: { readonly effects: Effects; readonly directions: readonly Direction[]; readonly driver?: Driver | 'either' },
): Promise<Laid> {
  const chosen = driver === 'either' ? await driverAt(hand) : driver;
  // Of this process alone, as the table's name is: two of them can disturb the same passage.
  const own = `${process.pid}-${++number}`;
  const name = `aftershock_wire_${process.pid}_${number}`;
  const plan = { name, own, number, port: passage.port, effects, directions, hand };
  const isRouted = !(await takesFwd(hand));
  const giveBack = await hand.lay(name, isRouted ? routed(plan) : await forwarded(chosen, plan));
  const families = isRouted ? routesFamilies(endsAt(plan, tunEnds)) : ['netdev'];
  const rulesAt = async (at: WireHand) => (await Promise.all(families.map((family) => at.rules(family, name)))).join('\n');
  const laid = await rulesAt(hand);
  return {
    driver: chosen,
    undo: () => giveBack().catch((thrown: unknown) => removedByAnother(thrown, hand, () => passage.wire(), steeringRemoval(name, families))),
    missing: () => missingAt(passage, name, families, { laid, rulesAt }).catch(toldWhenEnded),
    bitten: async () => (await Promise.all(families.map((family) => hand.counted(family, name, 'bitten')))).reduce<number>((sum, one) => sum + (one ?? 0), 0),
  };
}

interface Plan {
  readonly name: string;
  readonly own: string;
  readonly number: number;
  readonly port: number;
  readonly effects: Effects;
  readonly directions: readonly Direction[];
  readonly hand: WireHand;
}

function endsAt({ own, directions }: Plan, endsOf: typeof tunEnds): Partial<Record<Direction, Ends>> {
  return Object.fromEntries(directions.map((direction) => [direction, endsOf(own, direction)]));
}

async function forwarded(driver: Driver, plan: Plan): Promise<WireScript> {
  const { name, port, effects, hand } = plan;
  const ends = endsAt(plan, driver === 'tun' ? tunEnds : netemEnds);
  const rules = { begin: steering({ name, port, ends }), renew: steeringRenewal(name), end: steeringRemoval(name) };
  if (driver === 'tun') return { ...rules, program: tunProgram(ends, effects) };
  const hardwareAddress = (await hand.run(['cat', '/sys/class/net/eth0/address'])).trim();
  const all = Object.entries(ends) as [Direction, Ends][];
  return {
    ...rules,
    make: all.flatMap(([direction, both]) => netemWire(direction, both, effects, hardwareAddress)),
    remove: all.map(([, both]) => netemRemoval(both)),
  };
}

function routed(plan: Plan): WireScript {
  const { name, number: own, port, effects } = plan;
  const ends = endsAt(plan, tunEnds);
  const families = routesFamilies(ends);
  return {
    program: [...tunProgram(ends, effects), 'way=routes', `port=${port}`],
    make: routesMake(ends, own),
    remove: routesRemove(ends, own),
    begin: routesSteering({ name, port, ends }, own),
    renew: steeringRenewal(name, families),
    end: steeringRemoval(name, families),
  };
}

/** Looked for in the namespace that a node has now, which need not be the one that it had. */
async function missingAt(
  passage: Passage,
  name: string,
  families: readonly string[],
  { laid, rulesAt }: { readonly laid: string; rulesAt(hand: WireHand): Promise<string> },
): Promise<string | undefined> {
  const hand = await passage.wire();
  const held = await Promise.all(families.map((family) => hand.elements(family, name, 'lease')));
  if (held.includes(undefined)) return `what led packets through the wire is gone from the network namespace of ${passage.name}`;
  if (held.includes(0)) return `the lease of the wire at ${passage.name} has run out`;
  return (await rulesAt(hand)) === laid ? undefined : `what leads packets through the wire at ${passage.name} is another by now`;
}

const found = new WeakMap<WireHand, Promise<{ readonly driver: Driver; readonly fwd: boolean }>>();

/** Which driver the kernel there has, tried on a wire that nothing is led through; asked once. */
export async function driverAt(hand: WireHand): Promise<Driver> {
  return (await kernelAt(hand)).driver;
}

async function takesFwd(hand: WireHand): Promise<boolean> {
  return (await kernelAt(hand)).fwd;
}

function kernelAt(hand: WireHand): Promise<{ readonly driver: Driver; readonly fwd: boolean }> {
  const known = found.get(hand) ?? lookAt(hand);
  found.set(hand, known);
  return known;
}

/** Without 'fwd' nothing can be led into netem's devices. */
async function lookAt(hand: WireHand): Promise<{ readonly driver: Driver; readonly fwd: boolean }> {
  const fwd = await fwdIsAt(hand);
  return { fwd, driver: fwd && (await netemIsAt(hand)) ? 'netem' : 'tun' };
}

async function fwdIsAt(hand: WireHand): Promise<boolean> {
  const name = `aftershock_trial_${process.pid}`;
  const lo = { enter: 'lo', leave: 'lo' };
  try {
    // The lease is not taken, so that nothing is led anywhere.
    await hand.nft(`${steering({ name, port: 1, ends: { in: lo, out: lo }, device: 'lo' })}delete table netdev ${name}\n`);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof EnvironmentError)) throw thrown;
    return false;
  }
}

async function netemIsAt(hand: WireHand): Promise<boolean> {
  const ends = netemEnds(`${process.pid}-0`, 'in');
  try {
    for (const argv of netemWire('in', ends, { delayMs: 1 }, '02:00:00:00:00:01')) await hand.run(argv);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof EnvironmentError)) throw thrown;
    return false;
  } finally {
    // Where there are no virtual devices either, there is none to remove.
    await hand.run(netemRemoval(ends)).catch(() => undefined);
  }
}

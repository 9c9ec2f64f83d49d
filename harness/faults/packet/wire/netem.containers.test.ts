/**
 * The driver netem. Here: that its wires carry packets, with another queue in netem's place where the kernel has none. With AFTERSHOCK_NETEM=uml (`npm run test:netem`): what netem does at the
 * driver's very own words, in a Linux in user mode that has it, measured by ping.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { bareCache } from '../../../../containers/cache.ts';
import { connectEngine } from '../../../cluster/engine.ts';
import type { WireScript } from '../../../cluster/wire.ts';
import { useBareCluster } from '../../bare.fixture.ts';
import { packetDelay, packetDelayKind } from '../packet-delay.ts';
import type { Effects } from './effects.ts';
import { flown, healthyMs, isHealthy, wirePlacesOf } from './flown.ts';
import { driverAt, layWire } from './lay.ts';
import { netemEnds, netemWire } from './netem.ts';
import { lackingForWires, wireLacks } from './preflight.ts';
import { inUserModeLinux, type Ping, pingsIn } from './uml.fixture.ts';

describe('a wire of the driver netem', () => {
  const bare = useBareCluster();

  it.each(['in', 'out'] as const)('carries packets %s, whole and at once when its queue does nothing to them, and is gone afterwards', async (direction) => {
    const node = bare.cluster.node('mc-1');
    const [place] = await wirePlacesOf([node]);
    if (!place) throw new Error('mc-1 is no place for a wire');
    const usualMs = await healthyMs(place, direction);
    const plain = new Proxy(place.hand, {
      get: (hand, key) => {
        if (key === 'lay') return (name: string, script: WireScript) => hand.lay(name, { ...script, make: (script.make ?? []).map(withPlainQueue) });
        const value: unknown = Reflect.get(hand, key);
        return typeof value === 'function' ? value.bind(hand) : value;
      },
    });
    const wire = await layWire(node, plain, { effects: { delayMs: 50 }, directions: [direction], driver: 'netem' });
    const landed = await flown(place, direction, { count: 1_000, perSecond: 2_000, lateMs: 0 });
    expect(isHealthy(landed, 1_000)).toBe(true);
    expect(await wire.bitten()).toBeGreaterThanOrEqual(1_000);
    expect(await bare.straight.ask('new', 300)).toMatchObject({ kind: 'answered' });
    expect(await healthyMs(place, direction)).toBeLessThan(usualMs + 3);
    await wire.undo();
    expect(await place.hand.run(['ip', '-brief', 'link'])).not.toMatch(/^x?(in|out)\d/m);
    expect(await bare.straight.ask('new', 300)).toMatchObject({ kind: 'answered' });
  });
});

describe('which driver there is', () => {
  const bare = useBareCluster();

  it('is found alike before a cluster starts and in it, and asking for another is refused in words', async () => {
    const engine = await connectEngine();
    const lacks = await wireLacks(engine);
    expect(await lackingForWires(engine)).toBeUndefined();
    const hand = await bare.cluster.node('mc-1').wire();
    expect(await driverAt(hand)).toBe(lacks?.netem === undefined ? 'netem' : 'tun');
    const asked = await packetDelayKind.lacksFor?.(packetDelay('mc-1', '50ms', { driver: 'netem' }), engine, bareCache().tools);
    if (lacks?.netem === undefined) expect(asked).toBeUndefined();
    else expect(asked).toMatch(/^its kernel has no netem \(.+\); write driver: 'tun', or leave it out$/);
    // Looking leaves nothing behind.
    expect(await hand.run(['ip', '-brief', 'link'])).not.toMatch(/^x?(in|out)\d/m);
    expect(await hand.run(['nft', 'list', 'tables'])).not.toContain('aftershock_trial');
  });
});

/** netem's place is taken by the kernel's plainest queue. */
function withPlainQueue(argv: readonly string[]): readonly string[] {
  const at = argv.indexOf('netem');
  return at < 0 ? argv : [...argv.slice(0, at), 'pfifo', 'limit', '1000'];
}

const PINGS = 1_000;
const EFFECTS: Readonly<Record<string, Effects>> = {
  nothing: {},
  delay: { delayMs: 50 },
  jitter: { delayMs: 50, jitterMs: 20 },
  duplicate: { duplicateShare: 0.1 },
  reorder: { reorderShare: 0.1, reorderByMs: 20 },
  corrupt: { corruptShare: 0.1 },
};

describe.each(process.env['AFTERSHOCK_NETEM'] === 'uml' ? ['in user-mode Linux'] : [])('%s netem', () => {
  const seen = new Map<string, Ping[]>();
  /** Four standard deviations of a tenth of so many. */
  const tolerance = 4 * Math.sqrt((0.1 * 0.9) / PINGS);
  const of = (name: string) => seen.get(name) ?? [];
  const times = (name: string) =>
    of(name)
      .map(({ ms }) => ms)
      .toSorted((a, b) => a - b);
  const at = (name: string, share: number) => times(name)[Math.floor((times(name).length - 1) * share)] ?? Number.NaN;
  const answered = (name: string) => new Set(of(name).map(({ number }) => number)).size;

  beforeAll(async () => {
    const output = await inUserModeLinux(Object.entries(EFFECTS).flatMap(([name, effects]) => [`echo '== ${name}'`, ...pingThrough(effects)]));
    for (const name of Object.keys(EFFECTS)) seen.set(name, pingsIn(output, name));
  });

  it('does nothing when nothing is asked for', () => {
    expect(answered('nothing')).toBe(PINGS);
    expect(at('nothing', 0.5)).toBeLessThan(3);
  });

  it('delays', () => {
    expect(answered('delay')).toBe(PINGS);
    expect(at('delay', 0)).toBeGreaterThanOrEqual(49.9);
    expect(at('delay', 0.5) - at('nothing', 0.5)).toBeGreaterThan(48.5);
    expect(at('delay', 0.5) - at('nothing', 0.5)).toBeLessThan(52);
  });

  it('spreads evenly', () => {
    expect(answered('jitter')).toBe(PINGS);
    expect(at('jitter', 0)).toBeGreaterThanOrEqual(29.9);
    expect(at('jitter', 0.95) - at('jitter', 0.05)).toBeGreaterThan(1.8 * 20 - 4);
    expect(at('jitter', 0.95) - at('jitter', 0.05)).toBeLessThan(1.8 * 20 + 4);
  });

  it('sends a tenth twice', () => {
    expect(Math.abs((of('duplicate').length - answered('duplicate')) / PINGS - 0.1)).toBeLessThan(tolerance);
  });

  it('holds a tenth back, and others overtake them', () => {
    expect(answered('reorder')).toBe(PINGS);
    const late = of('reorder').filter(({ ms }) => ms > 15);
    expect(Math.abs(late.length / PINGS - 0.1)).toBeLessThan(tolerance);
    expect(Math.max(...late.map(({ ms }) => ms))).toBeLessThan(40);
    const numbers = of('reorder').map(({ number }) => number);
    expect(numbers.filter((number, index) => number < (numbers[index - 1] ?? 0)).length).toBeGreaterThan(late.length / 2);
  });

  it('damages a tenth, which is thrown away', () => {
    expect(Math.abs(1 - answered('corrupt') / PINGS - 0.1)).toBeLessThan(tolerance);
  });
});

/** A wire as the driver makes it, whose other end is in a namespace of its own so that something answers there. */
function pingThrough(effects: Effects): string[] {
  const ends = netemEnds('1-1', 'in');
  const made = netemWire('in', ends, effects, '02:00:00:00:00:01').map((argv) => argv.join(' '));
  return [
    ...made,
    'ip netns add far',
    `ip link set ${ends.leave} netns far`,
    `ip link set ${ends.enter} arp on`,
    `ip -n far link set ${ends.leave} arp on up`,
    `ip addr add 10.9.9.1/24 dev ${ends.enter}`,
    `ip -n far addr add 10.9.9.2/24 dev ${ends.leave}`,
    // Until each knows the other's hardware address; one that is lost is asked for again.
    'ping -q -c 3 -i 0.3 10.9.9.2 >/dev/null || true',
    `ping -c ${PINGS} -i 0.005 -W 1 10.9.9.2 || true`,
    `ip link del ${ends.enter}`,
    'ip netns del far',
  ];
}

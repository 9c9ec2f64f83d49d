import { describe, expect, it } from 'vitest';
import type { Cluster, Node } from '../../cluster/types.ts';
import type { WireHand, WireScript } from '../../cluster/wire.ts';
import { kinds, times, useBareCluster } from '../bare.fixture.ts';
import { type Fault, faultKind } from '../index.ts';
import { corrupt } from './corrupt.ts';
import { duplicate } from './duplicate.ts';
import { packetDelay } from './packet-delay.ts';
import { reorder } from './reorder.ts';
import { steering } from './wire/steering.ts';

const bare = useBareCluster();

/** The same cluster, whose mc-1 has other wires laid than it was told to. */
function sabotaged(cluster: Cluster, spoil: (script: WireScript, name: string) => WireScript): Cluster {
  const spoilt = (node: Node): Node =>
    new Proxy(node, {
      get: (target, key) => {
        if (key !== 'wire') return Reflect.get(target, key);
        return async () => {
          const hand = await target.wire();
          const lay: WireHand['lay'] = (name, script) => hand.lay(name, spoil(script, name));
          return new Proxy(hand, { get: (own, one) => (one === 'lay' ? lay : bound(own, one)) });
        };
      },
    });
  return { ...cluster, nodes: cluster.nodes.map((node) => (node.name === 'mc-1' ? spoilt(node) : node)) };
}

function bound(own: object, key: string | symbol): unknown {
  const value: unknown = Reflect.get(own, key);
  return typeof value === 'function' ? value.bind(own) : value;
}

const withProgram = (script: WireScript, changed: (word: string) => string): WireScript => ({ ...script, program: (script.program ?? []).map(changed) });
const DOSE = /^(delay|jitter|duplicate|reorder|corrupt)=(\d+)$/;

const SPOILT: [string, (script: WireScript, name: string) => WireScript][] = [
  ['does nothing', (script) => withProgram(script, (word) => word.replace(DOSE, '$1=0'))],
  ['has half the dose', (script) => withProgram(script, (word) => word.replace(DOSE, (_, key: string, dose: string) => `${key}=${Number(dose) / 2}`))],
  ['leaves connections alone', (script) => ({ ...script, begin: script.begin.replaceAll('meta l4proto @lease', 'meta l4proto udp meta l4proto @lease') })],
  ['hits another port', (script) => ({ ...script, begin: script.begin.replaceAll('dport 11211', 'dport 11212') })],
  [
    'goes the other way',
    (script, name) => {
      const device = script.program?.find((word) => word.startsWith('in='))?.slice(3) ?? 'none';
      return {
        ...withProgram(script, (word) => word.replace(/^in=/, 'out=')),
        begin: steering({ name, port: 11_211, ends: { out: { enter: device, leave: device } } }),
      };
    },
  ],
];

/** Port and direction are the same steps of all of them, so one stands for the others there. */
const HALF = SPOILT.filter(([how]) => how === 'has half the dose' || how === 'leaves connections alone');
const FAULTS: [string, Fault, typeof SPOILT][] = [
  ['a packet delay', packetDelay('mc-1', '40ms'), SPOILT],
  ['a duplication', duplicate('mc-1', '20%'), HALF],
  ['a reordering', reorder('mc-1', '20%'), HALF],
  ['a corruption', corrupt('mc-1', '20%'), HALF],
];

describe.each(FAULTS)('%s', (_, fault, spoilt) => {
  it('bites as it is described, and is gone once healed; healing it twice does no harm', async () => {
    const prepared = await faultKind(fault).prepare(fault, bare.cluster);
    const injected = await prepared.inject();
    try {
      expect(await injected.prove()).toMatchObject({ holds: true, measured: expect.stringMatching(/[1-9]\d* packets through (tun|netem)/) });
      expect(await injected.missing()).toBeUndefined();
    } finally {
      await injected.heal();
    }
    expect(await injected.proveHealed()).toMatchObject({ holds: true });
    await injected.heal();
    expect(await injected.missing()).toMatch(/gone from the network namespace of mc-1/);
    await prepared.close();
  });

  it.each(spoilt)('does not hold its proof when it %s', async (_case, spoil) => {
    const byTun = { ...fault, driver: 'tun' } as Fault;
    const prepared = await faultKind(byTun).prepare(byTun, sabotaged(bare.cluster, spoil));
    const injected = await prepared.inject();
    expect((await injected.prove(500)).holds).toBe(false);
    await injected.heal();
    await prepared.close();
  });

  it('does not hold its proof of being gone when it never heals', async () => {
    const prepared = await faultKind(fault).prepare(fault, bare.cluster);
    const injected = await prepared.inject();
    expect((await injected.proveHealed(500)).holds).toBe(false);
    await injected.heal();
    await prepared.close();
  });
});

describe('a packet delay', () => {
  it('does not hold its proof when handshakes are not delayed', async () => {
    const fault = packetDelay('mc-1', '40ms', { driver: 'tun' });
    const passing = (script: WireScript) => ({
      ...script,
      begin: script.begin.replace('meta l4proto @lease', 'tcp flags & syn == syn accept\n    meta l4proto @lease'),
    });
    const prepared = await faultKind(fault).prepare(fault, sabotaged(bare.cluster, passing));
    const injected = await prepared.inject();
    expect(await injected.prove(500)).toMatchObject({ holds: false, measured: expect.stringContaining('500 of 500 datagrams 40') });
    await injected.heal();
    await prepared.close();
  });

  it('with jitter does not hold its proof without, nor one without with', async () => {
    for (const [jitter, spoilt] of [
      ['20ms', 'jitter=0'],
      ['20ms', 'jitter=9000'],
    ]) {
      const fault = packetDelay('mc-1', '40ms', { driver: 'tun', jitter: jitter as '20ms' });
      const prepared = await faultKind(fault).prepare(
        fault,
        sabotaged(bare.cluster, (script) => withProgram(script, (word) => word.replace(/^jitter=.*/, spoilt as string))),
      );
      const injected = await prepared.inject();
      expect((await injected.prove(500)).holds).toBe(false);
      await injected.heal();
      await prepared.close();
    }
  });

  it('both ways is met twice in a round trip, and on a link only over that link', async () => {
    const both = packetDelay('client-1 -> mc-1', '30ms', { direction: 'both' });
    const prepared = await faultKind(both).prepare(both, bare.cluster);
    const injected = await prepared.inject();
    try {
      expect(await injected.prove()).toMatchObject({ holds: true });
      expect((await times(bare.throughLink, 'kept'))[2]).toBeGreaterThan(55);
      expect((await times(bare.straight, 'new'))[2]).toBeLessThan(20);
    } finally {
      await injected.heal();
    }
    expect(await injected.proveHealed()).toMatchObject({ holds: true });
    await prepared.close();
  });

  it('is passed by when the program that holds the packets dies, which is told', async () => {
    const fault = packetDelay('mc-1', '40ms', { driver: 'tun' });
    const prepared = await faultKind(fault).prepare(fault, bare.cluster);
    const injected = await prepared.inject();
    expect(await injected.prove()).toMatchObject({ holds: true });
    const hand = await bare.cluster.node('mc-1').wire();
    await hand.run(['node', '-e', KILL_WIRES]);
    const beganAt = performance.now();
    while ((await injected.missing()) === undefined && performance.now() - beganAt < 3_000) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await injected.missing()).toMatch(/gone from the network namespace of mc-1/);
    expect(await kinds(bare.straight, 'new')).toEqual(['answered', 'answered', 'answered']);
    // There is nothing left to heal.
    await injected.heal();
    expect(await injected.proveHealed()).toMatchObject({ holds: true });
    await prepared.close();
  });

  it('is told to be missing after its node was started again', async () => {
    const fault = packetDelay('mc-1', '40ms');
    const prepared = await faultKind(fault).prepare(fault, bare.cluster);
    const injected = await prepared.inject();
    const killed = await bare.cluster.node('mc-1').kill();
    await killed.undo();
    expect(await injected.missing()).toMatch(/gone from the network namespace of mc-1/);
    await injected.heal();
    await prepared.close();
  });
});

/** Ends every program `wire` that the hand's own container sees: its children, and nobody else's. */
const KILL_WIRES = `
  const { readdirSync, readFileSync } = require('node:fs');
  for (const pid of readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)))
    if (readFileSync('/proc/' + pid + '/comm', 'utf8') === 'wire\\n') process.kill(Number(pid), 'SIGKILL');
`;

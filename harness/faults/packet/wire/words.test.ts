import { describe, expect, it } from 'vitest';
import { faultSchema } from '../../index.ts';
import { corrupt } from '../corrupt.ts';
import { duplicate } from '../duplicate.ts';
import { packetDelay, packetDelayKind } from '../packet-delay.ts';
import { reorder } from '../reorder.ts';
import { netemEnds, netemWire, netemWords } from './netem.ts';
import { steering, steeringRemoval, steeringRenewal } from './steering.ts';
import { tunEnds, tunProgram } from './tun.ts';

describe('the words of the drivers', () => {
  it('say one effect the same to both', () => {
    const ends = { in: tunEnds('7-1', 'in'), out: tunEnds('7-1', 'out') };
    expect(tunProgram(ends, { delayMs: 50, jitterMs: 2.5 }).join(' ')).toBe(
      'wire in=in7-1 out=out7-1 like=eth0 delay=50000 jitter=2500 duplicate=0 reorder=0 by=0 corrupt=0',
    );
    expect(netemWords({ delayMs: 50, jitterMs: 2.5 }).join(' ')).toBe('limit 65536 delay 50000us 2500us');
    expect(tunProgram({ out: ends.out }, { reorderShare: 0.05, reorderByMs: 20 }).join(' ')).toBe(
      'wire out=out7-1 like=eth0 delay=0 jitter=0 duplicate=0 reorder=50000 by=20000 corrupt=0',
    );
    // All wait but those that are 'reordered'.
    expect(netemWords({ reorderShare: 0.05, reorderByMs: 20 }).join(' ')).toBe('limit 65536 delay 20000us reorder 95%');
    expect(netemWords({ duplicateShare: 0.125 }).join(' ')).toBe('limit 65536 duplicate 12.5%');
    expect(netemWords({ corruptShare: 0.02 }).join(' ')).toBe('limit 65536 corrupt 2%');
  });

  it('name devices that an interface may bear, whatever process makes them', () => {
    for (const ends of [netemEnds('4194304-999', 'out'), tunEnds('4194304-999', 'out')])
      for (const name of [ends.enter, ends.leave]) expect(name.length).toBeLessThanOrEqual(15);
  });

  it('give the end of a pair by which packets come in the hardware address of the device, and that by which they leave none', () => {
    const commands = (direction: 'in' | 'out') =>
      netemWire(direction, netemEnds('7-1', direction), { delayMs: 5 }, '02:42:ac:11:00:02').map((argv) => argv.join(' '));
    expect(commands('in')).toContain('ip link set xin7-1 address 02:42:ac:11:00:02');
    expect(commands('out').join('\n')).not.toContain('02:42:ac:11:00:02');
    expect(commands('in').at(-1)).toBe('tc qdisc add dev in7-1 root netem limit 65536 delay 5000us');
  });
});

describe('the rules that lead packets through a wire', () => {
  const ends = { in: tunEnds('7-1', 'in'), out: tunEnds('7-1', 'out') };

  it('lead only what is to or from the port, for as long as the lease lasts, and nothing twice', () => {
    const text = steering({ name: 'aftershock_wire_7_1', port: 11_211, ends });
    expect(text).toContain('meta l4proto @lease th dport 11211 counter name bitten fwd to "in7-1"');
    expect(text).toContain('meta mark != 0x41660000 meta l4proto @lease th sport 11211 counter name bitten fwd to "out7-1"');
    expect(text).toContain('th sport 11211 meta mark set 0x41660000 fwd to "eth0"');
    expect(text.match(/chain /g)).toHaveLength(3);
    expect(steering({ name: 'aftershock_wire_7_1', port: 11_211, ends: { in: ends.in } }).match(/chain /g)).toHaveLength(1);
  });

  it('touch no table but their own', () => {
    const all = [steering({ name: 'aftershock_wire_7_1', port: 1, ends }), steeringRenewal('aftershock_wire_7_1'), steeringRemoval('aftershock_wire_7_1')].join(
      '\n',
    );
    expect([...all.matchAll(/netdev (\S+)/g)].every(([, name]) => name === 'aftershock_wire_7_1')).toBe(true);
    expect(all).not.toContain('flush');
  });
});

describe('the faults that wires carry', () => {
  it('are written with the direction in, and every driver that there is', () => {
    expect(packetDelay('mc-1', '50ms')).toEqual({ kind: 'packet-delay', on: 'mc-1', delay: '50ms', direction: 'in' });
    expect(packetDelayKind.describe(packetDelay('mc-1', '50ms', { jitter: '10ms', direction: 'both' }))).toBe('packet delay 50ms ± 10ms in and out on mc-1');
    expect(faultSchema.safeParse({ ...packetDelay('mc-1', '50ms'), driver: 'tun' }).success).toBe(true);
    for (const fault of [duplicate('mc-1', '10%'), reorder('a -> b', '10%'), corrupt('mc-*', '5%')]) expect(faultSchema.safeParse(fault).success).toBe(true);
  });

  it.each([
    [packetDelay('mc-1', '2ms'), /'2ms' is out of range; write 5.* ms to 3.* s/],
    [packetDelay('mc-1', '20ms', { jitter: '30ms' }), /'30ms' is more than the delay; write '20ms' or less/],
    [{ ...packetDelay('mc-1', '20ms'), driver: 'nfqueue' }, /netem.*tun/],
    [duplicate('mc-1', '1%'), /'1%' is out of range; write 2% to 100%/],
    [reorder('mc-1', '60%'), /'60%' is out of range; write 2% to 50%/],
    [reorder('mc-1', '10%', { by: '2s' }), /'2s' is out of range; write 10.* ms to 1.* s/],
    [corrupt('', '10%'), /neither a node nor a link/],
  ])('%j is refused with what may be written', (fault, words) => {
    expect(
      faultSchema
        .safeParse(fault)
        .error?.issues.map(({ message }) => message)
        .join('; '),
    ).toMatch(words);
  });
});

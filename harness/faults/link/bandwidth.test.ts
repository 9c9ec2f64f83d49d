import { expect, it } from 'vitest';
import type { Cluster, LinkProber } from '../../cluster/types.ts';
import { bandwidth, bandwidthKind } from './bandwidth.ts';

const LINK = 'client-1 -> mc-1';
/** Of one answer that is drawn. */
const LENGTH = 1_600;

/** Bytes a second on a link: before a limit of it is set and once it is said to be taken back. */
async function provenHealed(before: number, healed: number, rampedTo?: '4KB/s'): Promise<boolean> {
  let rate = before;
  const draw: LinkProber['draw'] = async (_, { count }) => ({ kind: 'answered', ms: (count * LENGTH * 1_000) / rate, bytes: count * LENGTH, pieces: 1 });
  const prober = { ask: async () => ({ kind: 'answered', ms: 1 }), draw, close: async () => undefined } as unknown as LinkProber;
  const undo = async () => {
    rate = healed;
  };
  const disturbance = { undo, missing: async () => undefined, change: async () => undefined };
  const link = { name: LINK, from: 'client-1', to: 'mc-1', prober: async () => prober, poison: async () => disturbance };
  const prepared = await bandwidthKind.prepare(bandwidth(LINK, '100KB/s'), { nodes: [], links: [link] } as unknown as Cluster);
  const injected = await prepared.inject();
  if (rampedTo) await injected.change?.(bandwidth(LINK, rampedTo));
  await injected.heal();
  return (await injected.proveHealed(0)).holds;
}

it.each([
  ['as fast as before', 20e6, 19e6, true],
  ['slower than before by what a busy machine does', 20e6, 6e6, true],
  ['twice the limit', 20e6, 0.2e6, false],
  ['ten times the limit', 20e6, 1e6, false],
] as const)('a link is healed when it is fast again: %s', async (_, before, healed, holds) => {
  expect(await provenHealed(before, healed)).toBe(holds);
});

it('is not held to a rate of many answers where so few are drawn that each is an exchange', async () => {
  expect(await provenHealed(20e6, 2e6, '4KB/s')).toBe(true);
});

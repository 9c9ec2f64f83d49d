import { expect, it } from 'vitest';
import type { Cluster, Dialled } from '../../cluster/types.ts';
import { useBareCluster } from '../bare.fixture.ts';
import { type LimitConnections, limitConnections, limitConnectionsKind } from './limit-connections.ts';
import { sabotaged } from './saboteur.fixture.ts';

const bare = useBareCluster();
const RATE = limitConnections('mc-1', { rate: '50/s', over: 'reset' });
const COUNT = limitConnections('mc-1', { count: 10 });

async function proven(fault: LimitConnections, cluster: Cluster = bare.cluster): Promise<{ holds: boolean; measured: string }> {
  const prepared = await limitConnectionsKind.prepare(fault, cluster);
  const injected = await prepared.inject();
  const proof = await injected.prove(cluster === bare.cluster ? 5_000 : 100);
  await injected.heal();
  if (cluster === bare.cluster) expect(await injected.proveHealed(5_000)).toMatchObject({ holds: true });
  await prepared.close();
  return proof;
}

/** 30 connections at once, held, and how they ended. */
async function thirty(): Promise<Dialled> {
  const prober = await bare.cluster.node('mc-1').prober();
  const dialled = await prober.dial({ count: 30, atOnce: 30, perSecond: 1_000, patienceMs: 300, held: true });
  await prober.close();
  return dialled;
}

it.each<[string, LimitConnections]>([
  ['so many a second, others refused', RATE],
  ['so many a second, others silent', limitConnections('mc-1', { rate: '50/s', over: 'drop' })],
  ['so many a second for each source', limitConnections('mc-1', { rate: '50/s', per: 'source' })],
  ['many a second, with a burst', limitConnections('mc-1', { rate: '200/s', burst: 50, over: 'reset' })],
  ['so many at once, others silent', COUNT],
  ['so many at once, others refused', limitConnections('mc-1', { count: 10, over: 'reset' })],
  ['so many at once for each source', limitConnections('mc-1', { count: 10, per: 'source' })],
  ['one at once', limitConnections('mc-1', { count: 1, over: 'reset' })],
  ['so many at once of one peer', limitConnections('mc-1', { count: 10, peer: 'client-1' })],
  ['so many at once over a link', limitConnections('client-1 -> mc-1', { count: 10 })],
])('is measured: %s, and all of them once healed', async (_, fault) => {
  expect(await proven(fault)).toMatchObject({ holds: true });
});

it('lets those through that it allows, keeps those that are there, and stops the others as it was told', async () => {
  expect((await bare.straight.ask('kept', 1_000)).kind).toBe('answered');
  const prepared = await limitConnectionsKind.prepare(COUNT, bare.cluster);
  const injected = await prepared.inject();
  expect(await thirty()).toEqual({ made: 10, refused: 0, silent: 20 });
  expect((await bare.straight.ask('kept', 1_000)).kind).toBe('answered');
  await injected.heal();
  await injected.heal();
  expect(await injected.missing()).toContain('the rules are gone');
  expect(await thirty()).toEqual({ made: 30, refused: 0, silent: 0 });
  await prepared.close();
});

it.each<[string, LimitConnections, (script: string) => string]>([
  ['it does nothing (rate)', RATE, (script) => script.replaceAll('reject with tcp reset', 'accept')],
  ['half the rate is let through', RATE, (script) => script.replaceAll('over 50/second', 'over 25/second')],
  ['twice the rate is let through', RATE, (script) => script.replaceAll('over 50/second', 'over 100/second')],
  ['those over the rate are silent instead', RATE, (script) => script.replaceAll('reject with tcp reset', 'drop')],
  ['one rate for all is one for each', RATE, (script) => perSource(script, 'limit rate over 50/second burst 5 packets')],
  ['a rate for each is one for all', { ...RATE, per: 'source' }, (script) => script.replaceAll(/add @sources \{ ip saddr ([^}]*)\}/g, '$1')],
  ['it does nothing (count)', COUNT, (script) => script.replaceAll(/drop$/gm, 'accept')],
  ['half the count is let through', COUNT, (script) => script.replaceAll('count over 10', 'count over 5')],
  ['twice the count is let through', COUNT, (script) => script.replaceAll('count over 10', 'count over 20')],
  ['one count for all is one for each', COUNT, (script) => perSource(script, 'ct count over 10')],
  ['a count for each is one for all', { ...COUNT, per: 'source' }, (script) => script.replaceAll(/add @sources \{ ip saddr ([^}]*)\}/g, '$1')],
  ['it is at another port', COUNT, (script) => script.replaceAll('11211', '11212')],
  ['a count is for everybody instead of its peer', { ...COUNT, peer: 'client-1' }, (script) => script.replaceAll(/ip saddr \S+/g, '')],
  ['a rate is for everybody instead of its peer', { ...RATE, peer: 'client-1' }, (script) => script.replaceAll(/ip saddr \S+/g, '')],
])('does not hold its proof when %s', async (_, fault, spoil) => {
  const seen = await proven(fault, sabotaged(bare.cluster, 'mc-1', spoil));
  expect(seen).toMatchObject({ holds: false });
});

it('does not hold its proof of being gone when it never heals', async () => {
  for (const fault of [RATE, COUNT]) {
    const prepared = await limitConnectionsKind.prepare(fault, bare.cluster);
    const injected = await prepared.inject();
    expect((await injected.proveHealed(100)).holds).toBe(false);
    await injected.heal();
    await prepared.close();
  }
});

function perSource(script: string, limit: string): string {
  return script
    .replace('counter bitten', 'set each { type ipv4_addr; flags dynamic; size 65535; }\n  counter bitten')
    .replaceAll(limit, `add @each { ip saddr ${limit} }`);
}

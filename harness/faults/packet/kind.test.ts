import { describe, expect, it } from 'vitest';
import { cache } from '../../../containers/cache.ts';
import { type Fault, faultKind, faultSchema } from '../index.ts';
import { dropNew } from './drop-new.ts';
import { limitConnections } from './limit-connections.ts';
import { loss } from './loss.ts';
import { directionsOf, type PacketRule, removal, renewal, replacement, tables } from './nft.ts';
import { partition } from './partition.ts';
import { reject } from './reject.ts';

/** What is wrong with a fault, as one line for each mistake. */
function complaints(fault: unknown): string[] {
  const read = faultSchema.safeParse(fault);
  return read.success ? [] : read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('a fault of packets', () => {
  it.each<Fault>([
    loss('mc-1', '5%', { peer: 'client-1', port: 11_211 }),
    loss('proxy-1 -> mc-1', '5%', { direction: 'both' }),
    partition('proxy-1|proxy-2 <-> mc-*'),
    reject('mc-1', { with: 'icmp-admin-prohibited', peer: 'client-1' }),
    dropNew('mc-*', { port: 22_222 }),
    limitConnections('mc-1', { rate: '50/s', burst: 10, over: 'reset', per: 'source' }),
    limitConnections('proxy-1 -> mc-1', { count: 100 }),
  ])('is read as it is written: %j', (fault) => {
    expect(faultSchema.parse(JSON.parse(JSON.stringify(fault)))).toEqual(fault);
  });

  it.each<[string, unknown, string]>([
    ['a peer that is a pattern', loss('mc-1', '5%', { peer: 'client-*' }), "peer: 'client-*' is not the name of a node; write one, such as 'client-1'"],
    ['a port that is none', partition('mc-1', { port: 70_000 }), 'port: 70000 is not a port; write a whole number from 1 to 65535'],
    [
      'a peer of a link',
      dropNew('proxy-1 -> mc-1', { peer: 'proxy-1' }),
      "peer: goes with a node, not with a link: 'proxy-1 -> mc-1' is one node's way to one port already",
    ],
    [
      'a port of a link',
      loss('proxy-1 -> mc-1', '5%', { port: 1 }),
      "port: goes with a node, not with a link: 'proxy-1 -> mc-1' is one node's way to one port already",
    ],
    [
      'another way to refuse',
      { ...reject('mc-1'), with: 'icmp' },
      "with: 'icmp' is not a way to refuse; write one of 'reset', 'icmp-port-unreachable', 'icmp-host-unreachable', 'icmp-admin-prohibited'",
    ],
    ['no limit', { kind: 'limit-connections', on: 'mc-1', per: 'all', over: 'drop' }, "rate: write either rate, such as '50/s', or count, such as 100"],
    ['two limits', { ...limitConnections('mc-1', { count: 5 }), rate: '50/s' }, "rate: write either rate, such as '50/s', or count, such as 100"],
    [
      'a rate too high to be measured',
      limitConnections('mc-1', { rate: '900/s' }),
      "rate: '900/s' is not allowed; write a whole rate from 2/s to 500/s, such as '50/s'",
    ],
    ['a count of nothing', limitConnections('mc-1', { count: 0 }), 'count: 0 is not allowed; write a whole number from 1 to 1000'],
    ['a burst without a rate', { ...limitConnections('mc-1', { count: 5 }), burst: 5 }, 'burst: goes with rate only'],
    [
      'a limit for each source of a link',
      limitConnections('a -> b', { count: 5, per: 'source' }),
      "per: 'source' goes with a node: over a link everything has one source",
    ],
  ])('with %s is refused in one line that says what to write', (_, fault, complaint) => {
    expect(complaints(fault)).toEqual([complaint]);
  });

  it('says what it is aimed at', () => {
    const described = (fault: Fault) => faultKind(fault).describe(fault);
    expect(described(loss('mc-1', '5%', { peer: 'client-1', port: 22_222 }))).toBe('loss 5% in on mc-1 for client-1 at port 22222');
    expect(described(partition('mc-1', { direction: 'in' }))).toBe('partition in on mc-1');
    expect(described(limitConnections('mc-1', { count: 5, per: 'source' }))).toBe('limit of 5 connections for each source (drop) on mc-1');
  });

  it('is refused for a peer that is not there, that is the target, or whose packets arrive from Toxiproxy', () => {
    const cluster = cache({ backends: 2, proxies: 1 });
    const affects = (fault: Fault) => faultKind(fault).affects(fault, cluster);
    expect(affects(partition('mc-1', { peer: 'client-1' }))).toEqual(['mc-1']);
    expect(() => affects(partition('mc-1', { peer: 'client-9' }))).toThrow(
      "peer: 'client-9' is not another node than those of 'mc-1'; allowed: mc-2, proxy-1, edge, client-1",
    );
    expect(() => affects(partition('mc-1', { peer: 'mc-1' }))).toThrow("peer: 'mc-1' is not another node");
    expect(() => affects(partition('mc-*', { peer: 'proxy-1' }))).toThrow(
      "peer: proxy-1 reaches mc-1 over a link, and what comes over links comes from Toxiproxy's address; write on: 'proxy-1 -> mc-1' instead",
    );
  });
});

describe('the rules of a fault', () => {
  const both: PacketRule[] = [
    { direction: 'in', port: 11_211, peer: '10.0.0.1', verdict: 'drop', share: 0.05 },
    { direction: 'out', port: 11_211, peer: '10.0.0.1', verdict: 'drop' },
  ];

  it('ask for the lease first, and name port and peer by the end that each way has', () => {
    const script = tables('t', both);
    expect(script).toContain('meta l4proto @lease th dport 11211 ip saddr 10.0.0.1 numgen random mod 1000000 < 50000 counter name bitten drop');
    expect(script).toContain('meta l4proto @lease th sport 11211 ip daddr 10.0.0.1 counter name bitten drop');
    expect(directionsOf(both)).toEqual(['in', 'out']);
  });

  it('keep one limit for each source where each has its own', () => {
    const limit = { direction: 'in', port: 1, limit: 'ct count over 5', verdict: 'drop' } as const;
    expect(tables('t', [limit])).not.toContain('@sources');
    expect(tables('t', [{ ...limit, perSource: true }])).toContain('add @sources { ip saddr ct count over 5 } counter name bitten drop');
  });

  it('are replaced, renewed and removed in their own tables alone', () => {
    for (const script of [replacement('t', both), renewal('t', both), removal('t', both)])
      for (const line of script.split('\n').filter((one) => one !== ''))
        expect(line).toMatch(/^(flush chain|(add|delete) (rule|element|table)) (inet|netdev) t\b/);
  });
});

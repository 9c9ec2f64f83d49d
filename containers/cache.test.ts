import { describe, expect, it } from 'vitest';
import { bareCache, cache } from './cache.ts';
import { haproxy } from './haproxy/index.ts';
import { memcached } from './memcached/index.ts';
import { twemproxy } from './twemproxy/index.ts';

const linkNames = (spec: ReturnType<typeof cache>) => spec.links.map((link) => `${link.from} -> ${link.to}`);
const clientsOf = (spec: ReturnType<typeof cache>) => spec.nodes.filter((node) => node.role === 'client').map((node) => node.name);

describe('a cache', () => {
  it('has one client when it is not told otherwise, and is the same as with one', () => {
    const plain = cache({ backends: 2, proxies: 1 });
    expect(clientsOf(plain)).toEqual(['client-1']);
    expect(linkNames(plain)).toEqual(['client-1 -> edge', 'edge -> proxy-1', 'proxy-1 -> mc-1', 'proxy-1 -> mc-2']);
    expect(plain.title).toBe('2 memcached behind 1 twemproxy behind HAProxy');
    expect(cache({ backends: 2, proxies: 1, clients: 1 })).toEqual(plain);
  });

  it('gives each of several clients a container and a link to the edge of its own', () => {
    const tenants = cache({ backends: 1, proxies: 1, clients: 3 });
    expect(clientsOf(tenants)).toEqual(['client-1', 'client-2', 'client-3']);
    expect(linkNames(tenants).filter((name) => name.endsWith('-> edge'))).toEqual(['client-1 -> edge', 'client-2 -> edge', 'client-3 -> edge']);
    expect(tenants.title).toContain('3 clients');
  });

  it('can be bare, with clients of its own', () => {
    expect(linkNames(bareCache())).toEqual(['client-1 -> mc-1']);
    expect(bareCache().title).toBe('one memcached');
    expect(linkNames(bareCache({ clients: 2 }))).toEqual(['client-1 -> mc-1', 'client-2 -> mc-1']);
  });

  it('tells the budget what its nodes take: one connection onwards for each at the edge, a few shared ones at the proxies', () => {
    const nodes = new Map(cache({ backends: 1, proxies: 1, connectionsPerServer: 3 }).nodes.map((node) => [node.name, node.needs]));
    expect(nodes.get('edge')).toMatchObject({ mostConnections: 4_000, onwards: 'one for each' });
    expect(nodes.get('proxy-1')).toMatchObject({ onwards: 3, keepsSoftLimit: true });
    expect(nodes.get('mc-1')).toMatchObject({ mostConnections: 1_024 });
  });
});

describe('counts that are no counts', () => {
  const allowed = (most: number) => `; write a whole number from 1 to ${most}`;
  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('are refused by name: %s', (count) => {
    expect(() => cache({ backends: count, proxies: 1 })).toThrow(`backends: ${count} is not allowed${allowed(150)}`);
    expect(() => cache({ backends: 1, proxies: count })).toThrow(`proxies: ${count} is not allowed`);
    expect(() => cache({ backends: 1, proxies: 1, clients: count })).toThrow(`clients: ${count} is not allowed${allowed(16)}`);
    expect(() => cache({ backends: 1, proxies: 1, connectionsPerServer: count })).toThrow(`connectionsPerServer: ${count} is not allowed`);
    expect(() => bareCache({ clients: count })).toThrow(`clients: ${count} is not allowed`);
    expect(() => memcached('mc-1', { maxConnections: count })).toThrow(`maxConnections: ${count} is not allowed`);
    expect(() => memcached('mc-1', { itemsMiB: count })).toThrow(`itemsMiB: ${count} is not allowed`);
    expect(() => haproxy('edge', { servers: ['proxy-1'], maxConnections: count })).toThrow(`maxConnections: ${count} is not allowed`);
    expect(() => twemproxy('proxy-1', { servers: ['mc-1'], connectionsPerServer: count })).toThrow(`connectionsPerServer: ${count} is not allowed`);
    expect(() => twemproxy('proxy-1', { servers: ['mc-1'], backlog: count })).toThrow(`backlog: ${count} is not allowed`);
  });

  it('are refused above the most, too', () => {
    expect(() => cache({ backends: 1, proxies: 1, clients: 17 })).toThrow('clients: 17 is not allowed');
    expect(() => bareCache({ client: 2 } as object)).toThrow("unknown option of bareCache 'client'; did you mean 'clients'?");
  });
});

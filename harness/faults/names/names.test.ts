import { describe, expect, it } from 'vitest';
import { bareCache, cache } from '../../../containers/cache.ts';
import { clockSkew } from '../clock/clock-skew.ts';
import { type Fault, faultKind, faultSchema } from '../index.ts';
import { misresolve } from './misresolve.ts';
import { noAnswer } from './no-answer.ts';
import { slowNames } from './slow-names.ts';
import { unreachableName } from './unreachable-name.ts';

const tier = cache({ backends: 2, proxies: 1, clients: 2, byName: 'client-* -> edge', skewable: 'proxy-1' });
const misfit = (fault: Fault, cluster = tier) => faultKind(fault).misfit?.(fault, cluster);
const complaint = (fault: object) => {
  const { error } = faultSchema.safeParse(fault);
  return error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
};

describe('what a cluster is asked by name', () => {
  it('is no link, and is dialled by name and port', () => {
    expect(tier.byName?.map(({ from, to, port }) => `${from} -> ${to}:${port}`)).toEqual(['client-1 -> edge:11211', 'client-2 -> edge:11211']);
    expect(tier.links.map(({ from, to }) => `${from} -> ${to}`)).toEqual(['edge -> proxy-1', 'proxy-1 -> mc-1', 'proxy-1 -> mc-2']);
    expect('byName' in bareCache()).toBe(false);
  });

  it('is refused when no hop fits, and where it would be asked once', () => {
    expect(() => bareCache({ byName: 'client-1 -> mc-2' })).toThrow("byName: no hop fits 'client-1 -> mc-2'; known: client-1 -> mc-1");
    expect(() => bareCache({ byName: 'mc-1' })).toThrow("byName: no hop fits 'mc-1'");
    expect(() => cache({ backends: 1, proxies: 1, byName: 'edge -> proxy-1' })).toThrow('HAProxy asks for names at its start alone');
  });
});

describe('a fault of names', () => {
  it.each<[Fault, string]>([
    [misresolve('client-1', { name: 'edge', as: 'mc-1' }), 'edge resolves to mc-1 for client-1'],
    [unreachableName('client-*', { name: 'edge' }), 'edge resolves to nobody for client-*'],
    [noAnswer('client-1', { name: 'edge', how: 'nxdomain' }), 'edge resolves to nxdomain for client-1'],
    [slowNames('client-1', { name: 'edge', by: '2s' }), 'edge resolves 2s late for client-1'],
  ])('acts on who asks, is in the way of whom he asks for, and fits where he asks by name: %o', (fault, words) => {
    const kind = faultKind(fault);
    expect(kind.describe(fault)).toBe(words);
    expect(kind.target(fault)).toMatchObject({ kind: 'node', unprobed: true });
    expect(kind.affects(fault, tier)).toEqual(['edge']);
    expect(misfit(fault)).toBeUndefined();
    expect(misfit(fault, cache({ backends: 1, proxies: 1 }))).toContain("byName: 'client-* -> mc-1'");
    expect(complaint(fault)).toBeUndefined();
  });

  it('does not fit where the asker dials somebody else, or another node is nobody', () => {
    expect(misfit(unreachableName('proxy-1', { name: 'mc-1' }))).toBe("'proxy-1' does not dial 'mc-1' by name; by name: client-1 -> edge, client-2 -> edge");
    expect(misfit(misresolve('client-1', { name: 'edge', as: 'mc-9' }))).toContain("as: there is no node 'mc-9'; known: mc-1, mc-2");
    expect(misfit(misresolve('client-1', { name: 'edge', as: 'edge' }))).toContain("as: 'edge' is what its own name stands for");
  });

  it.each([
    [misresolve('client 1', { name: 'edge', as: 'mc-1' }), "of: 'client 1' is not a node"],
    [misresolve('client-1', { name: 'edge', as: '192.0.2.1' }), "as: '192.0.2.1' is not a node; write the name of one, such as 'mc-2'"],
    [noAnswer('client-1', { name: 'edge', how: 'never' as never }), "how: 'never' is not allowed; write one of servfail, nxdomain, silence"],
    [slowNames('client-1', { name: 'edge', by: '5s' }), "by: '5s' is out of range; write 200 ms to 3 s"],
    [slowNames('client-1', { name: 'edge', by: '199ms' }), "by: '199ms' is out of range"],
  ])('that is written wrongly names the key and what is allowed: %o', (fault, words) => {
    expect(complaint(fault)).toContain(words);
  });
});

describe('a skewed clock', () => {
  it('fits a node that was started for it alone', () => {
    expect(misfit(clockSkew('proxy-1', '+1h'))).toBeUndefined();
    expect(misfit(clockSkew('client-1|proxy-1', '+1h'))).toContain('client-1 was not started so that its clock can be put wrong');
    expect(() => bareCache({ skewable: 'mc-9' })).toThrow("skewable: no node fits 'mc-9'; known: client-1");
    expect(() => bareCache({ skewable: '*' })).toThrow("skewable: 'mc-1' does not go by a wall clock that it tells; allowed: client-1");
  });

  it.each([
    ['1h', "'1h' does not say which way; write '+' or '-' and a duration, such as '+1h' or '-90s'"],
    ['+4s', "'+4s' is not allowed; write whole seconds, five or more"],
    ['-5500ms', "'-5500ms' is not allowed; write whole seconds"],
    ['+25h', "'25h' is longer than a day"],
    ['+soon', "'soon' is not a duration"],
  ])('of %s is refused', (by, words) => {
    expect(complaint({ kind: 'clock-skew', node: 'proxy-1', by })).toContain(words);
  });
});

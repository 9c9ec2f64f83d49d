import { describe, expect, it } from 'vitest';
import { type Fault, faultKind, faultSchema } from '../index.ts';
import { crashLoop, isInTurn } from './crash-loop.ts';
import { kill } from './kill.ts';
import { pause } from './pause.ts';
import { restart } from './restart.ts';
import { stop } from './stop.ts';

const refusal = (fault: unknown) => faultSchema.safeParse(fault).error?.issues[0]?.message;

describe('how they are written', () => {
  it('is taken', () => {
    const written = [
      kill('mc-1'),
      kill('mc-*', { signal: 'SIGTERM', process: 'memcached' }),
      pause('mc-1', { by: 'signal', process: '*-p 11212*' }),
      stop('mc-1', { grace: '0ms' }),
      restart('mc-1'),
      crashLoop('mc-1', { every: '2s' }),
    ];
    expect(written.map(refusal)).toEqual(written.map(() => undefined));
  });

  it.each<[unknown, RegExp]>([
    [kill('mc-1', { signal: 'SIGSTOP' as never }), /^'SIGSTOP' is not allowed; write SIGKILL, SIGTERM, /],
    [kill('mc-1', { process: '' }), /^'' is no process; write its name or a pattern over its command line/],
    [pause('mc-1', { process: 'memcached' }), /^process: goes with by: 'signal' only/],
    [pause('mc-1', { by: 'force' as never }), /expected one of "freezer"\|"signal"/],
    [stop('mc-1', { grace: '31s' }), /^'31s' is out of range; write 0 ms to 30 s$/],
    [crashLoop('mc-1', { every: '500ms' }), /^'500ms' is out of range; write 1 s to 30 s$/],
    [{ kind: 'crash-loop', node: 'mc-1' }, /expected string, received undefined/],
  ])('is refused in one line (%j)', (fault, message) => {
    expect(refusal(fault)).toMatch(message);
  });

  it('is told to people with its process and its signal', () => {
    const described = (fault: Fault) => faultKind(fault).describe(fault);
    expect(
      [
        kill('mc-1'),
        kill('mc-1', { process: 'memcached' }),
        kill('mc-1', { signal: 'SIGTERM' }),
        kill('mc-1', { signal: 'SIGINT', process: 'memcached' }),
        pause('mc-1', { by: 'signal' }),
        crashLoop('mc-1', { every: '2s', process: 'memcached' }),
      ].map(described),
    ).toEqual([
      'kill mc-1',
      'kill memcached in mc-1',
      'SIGTERM to mc-1',
      'SIGINT to memcached in mc-1',
      'SIGSTOP to mc-1',
      'crash loop every 2s of memcached in mc-1',
    ]);
  });

  it('leaves time for a grace to be over', () => {
    const provingMs = (fault: Fault) => faultKind(fault).provingMs(fault);
    expect(provingMs(stop('mc-1', { grace: '10s' }))).toBeGreaterThan(10_000);
    expect(provingMs(restart('mc-1', { grace: '10s' }))).toBeGreaterThan(10_000);
  });
});

it('what dies every so often is told from half as often and twice as often', () => {
  expect([700, 1_000, 1_400].map((apartMs) => isInTurn([2_000, apartMs, apartMs], 1_000))).toEqual([true, true, true]);
  expect([500, 2_000].map((apartMs) => isInTurn([1_000, apartMs, apartMs], 1_000))).toEqual([false, false]);
});

it('what dies half as often is not taken for it when one start took long and the next came sooner', () => {
  expect([[], [1_000], [2_400, 1_400], [1_400, 2_400]].map((apartMs) => isInTurn(apartMs, 1_000))).toEqual([false, false, false, false]);
});

import { describe, expect, it } from 'vitest';
import { describeStanding } from './down.ts';

describe('aftershock down', () => {
  const run = { runId: '3f2a', alive: false, kept: true, containers: [], networks: [] };

  it('says what it removes when nobody named it: what it is made of, and for how long it stood', () => {
    const standing = { title: '2 memcached, HAProxy', since: '2026-01-02T03:00:00Z' };
    expect(describeStanding({ ...run, standing }, Date.parse('2026-01-02T03:12:00Z'))).toMatch(
      /^the only cluster that stands is 3f2a: 2 memcached, HAProxy; it was left standing .*12.* ago$/,
    );
  });

  it('leaves out what is not known', () => {
    expect(describeStanding(run, 0)).toBe('the only cluster that stands is 3f2a');
  });
});

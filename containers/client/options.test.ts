import { describe, expect, it } from 'vitest';
import { oneLine } from '../../harness/run/oneline.ts';
import { cacheClientsSchema, cacheWorkersSchema } from './options.ts';

const COMMON = { mix: { get: '100%' }, deadline: '1s', timeout: '250ms', onTimeout: 'reconnect' };
const WORKERS = { ...COMMON, workers: 10, thinks: '1s' };
const CLIENTS = { ...COMMON, rate: '100/s', connections: 10 };

function lineOf(result: ReturnType<typeof cacheWorkersSchema.safeParse> | ReturnType<typeof cacheClientsSchema.safeParse>): string {
  return result.success ? 'nothing was refused' : oneLine(result.error, 'options');
}

describe('connections that are not kept', () => {
  const refusal = 'use: a connection that carries several requests at a time is never free';

  it.each([['per-request'], [{ for: '5s' }], [{ leak: '1%' }]])('cannot carry several requests at a time: %j', (use) => {
    expect(lineOf(cacheWorkersSchema.safeParse({ ...WORKERS, use, batch: 2 }))).toContain(refusal);
    expect(lineOf(cacheClientsSchema.safeParse({ ...CLIENTS, use, pipeline: 2 }))).toContain(refusal);
    expect(cacheWorkersSchema.safeParse({ ...WORKERS, use, batch: 1 }).success).toBe(true);
    expect(cacheClientsSchema.safeParse({ ...CLIENTS, use, pipeline: 1 }).success).toBe(true);
  });

  it('is no question of pooled ones', () => {
    expect(cacheWorkersSchema.safeParse({ ...WORKERS, use: 'pooled', batch: 2 }).success).toBe(true);
    expect(cacheClientsSchema.safeParse({ ...CLIENTS, use: 'pooled', pipeline: 2 }).success).toBe(true);
  });
});

describe('a connection that comes back at once', () => {
  it('needs a backoff, of workers as well', () => {
    expect(lineOf(cacheWorkersSchema.safeParse({ ...WORKERS, reconnect: 'at once' }))).toContain("reconnect: 'at once' needs a backoff");
    const backoff = { first: '100ms', most: '5s', jitter: true };
    expect(cacheWorkersSchema.safeParse({ ...WORKERS, reconnect: 'at once', backoff }).success).toBe(true);
  });
});

describe('tenants', () => {
  it('may have more keys than the load would have without them, and so more hot ones', () => {
    const tenants = [{ name: 'a', share: '100%', keys: 5_000, keyChoice: { hot: 3_000, share: '90%' } }];
    expect(cacheClientsSchema.safeParse({ ...CLIENTS, keys: 10, keyChoice: { hot: 20, share: '90%' }, tenants }).success).toBe(true);
  });

  it('cannot have a hot key of each that they have', () => {
    const tenants = [{ name: 'a', share: '100%', keys: 10, keyChoice: { hot: 10, share: '90%' } }];
    expect(lineOf(cacheWorkersSchema.safeParse({ ...WORKERS, tenants }))).toContain('tenants: a has 10 keys, of which fewer can be hot');
  });
});

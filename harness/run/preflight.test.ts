import { describe, expect, it, vi } from 'vitest';
import type { Engine } from '../cluster/engine.ts';
import { EnvironmentError } from '../core/errors.ts';
import { down, kill } from '../faults/index.ts';
import { refuseLacking } from './preflight.ts';

const engine = {} as Engine;

describe('before anything starts', () => {
  it('a fault that cannot be done here is refused in one line that names it and what is missing', async () => {
    const kinds = { kill: { kind: 'kill' as const }, down: { kind: 'down' as const, lacks: async () => 'its kernel has no sch_netem' } };
    const refused = refuseLacking([kill('mc-1'), down('a -> b')], engine, (fault) => kinds[fault.kind as keyof typeof kinds]);
    await expect(refused).rejects.toThrow(new EnvironmentError("fault 'down' cannot be done here: its kernel has no sch_netem"));
  });

  it('each kind is asked once, and one that lacks nothing is let pass', async () => {
    const lacks = vi.fn<() => Promise<undefined>>(async () => undefined);
    const kind = { kind: 'down' as const, lacks };
    await refuseLacking([down('a -> b'), down('b -> c')], engine, () => kind);
    expect(lacks).toHaveBeenCalledExactlyOnceWith(engine);
  });
});

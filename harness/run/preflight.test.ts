import { describe, expect, it, vi } from 'vitest';
import type { Engine } from '../cluster/engine.ts';
import { TOXICS_LABEL } from '../cluster/images.ts';
import type { ClusterSpec } from '../cluster/spec.ts';
import { EnvironmentError } from '../core/errors.ts';
import { cpuLimit, down, type Fault, kill, latency, memoryLimit, oom, pause } from '../faults/index.ts';
import { refuseLacking } from './preflight.ts';

const engine = {} as Engine;
const tools = { toxiproxyImage: 'aftershock/toxiproxy:1' } as ClusterSpec['tools'];
const engineWith = (enforces: Partial<Engine['enforces']>, labels: Record<string, string> = {}) =>
  ({
    enforces: { processors: true, memory: true, freezing: true, ...enforces },
    docker: { getImage: () => ({ inspect: async () => ({ Config: { Labels: labels } }) }) },
  }) as unknown as Engine;

describe('before anything starts', () => {
  it('a fault that cannot be done here is refused in one line that names it and what is missing', async () => {
    const kinds = { kill: { kind: 'kill' as const }, down: { kind: 'down' as const, lacks: async () => 'its kernel has no sch_netem' } };
    const refused = refuseLacking([kill('mc-1'), down('a -> b')], engine, tools, (fault) => kinds[fault.kind as keyof typeof kinds]);
    await expect(refused).rejects.toThrow(new EnvironmentError("fault 'down' cannot be done here: its kernel has no sch_netem"));
  });

  it('each kind is asked once, and one that lacks nothing is let pass', async () => {
    const lacks = vi.fn<() => Promise<undefined>>(async () => undefined);
    const kind = { kind: 'down' as const, lacks };
    await refuseLacking([down('a -> b'), down('b -> c')], engine, tools, () => kind);
    expect(lacks).toHaveBeenCalledExactlyOnceWith(engine);
  });

  it.each<[string, Fault, Engine, string]>([
    ['a limit on processors', cpuLimit('mc-1', { cpus: 0.5 }), engineWith({ processors: false }), 'its engine does not limit processors'],
    ['a limit on memory', memoryLimit('mc-1', { mib: 64 }), engineWith({ memory: false }), 'its engine does not limit memory'],
    ['an end for want of memory', oom('mc-1'), engineWith({ memory: false }), 'its engine does not limit memory'],
    ['a freezer', pause('mc-1'), engineWith({ freezing: false }), "its engine has no freezer (rootless, with cgroup v1); write by: 'signal'"],
    ['a share of requests', latency('a -> b', '50ms', { share: '20%' }), engineWith({}), 'this Toxiproxy is the published one, which knows no share'],
  ])('%s is asked of the engine', async (_, fault, lacking, words) => {
    await expect(refuseLacking([fault], lacking, tools)).rejects.toThrow(`fault '${fault.kind}' cannot be done here: ${words}`);
    await refuseLacking([fault], engineWith({}, { [TOXICS_LABEL]: 'slow_share' }), tools);
  });

  it('what needs none of it is let pass: a stop by a signal, and a latency of all', async () => {
    await refuseLacking([pause('mc-1', { by: 'signal' }), latency('a -> b', '50ms')], engineWith({ freezing: false }), tools);
  });
});

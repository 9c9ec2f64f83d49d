/** A client node: a container in which load programs run. It holds no process of its own but a sleeping one. */
import type { NodeSpec } from '../../harness/cluster/spec.ts';

/** What the programs in a client container import. None of it may import a package. */
export const CLIENT_SOURCES = [
  'harness/core',
  'harness/timeline',
  'harness/load',
  'containers/client',
  'containers/hand',
  'containers/memcached',
  'containers/twemproxy',
] as const;

export function client(name: string): NodeSpec {
  return {
    name,
    role: 'client',
    image: 'aftershock/node:24',
    command: ['sleep', 'infinity'],
    sources: CLIENT_SOURCES,
    memoryMiB: 512,
    // Of a load program: measured at 2,000/s; and at 121,000/s, where it was busy all the time.
    needs: { cpuUs: { quietUs: 80, busyUs: 8 } },
  };
}

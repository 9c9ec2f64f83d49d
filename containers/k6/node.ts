/** A client node that has k6 beside Node: programs of ours run in it as in any other client. */
import type { NodeSpec } from '../../harness/cluster/spec.ts';

/** What the programs in it import. None of it may import a package. */
const K6_SOURCES = ['harness/core', 'harness/timeline', 'harness/load', 'containers/k6/adapter', 'containers/http', 'containers/hand'] as const;

export function k6Client(name: string): NodeSpec {
  return {
    name,
    role: 'client',
    image: 'aftershock/k6:1.8.1',
    command: ['sleep', 'infinity'],
    sources: K6_SOURCES,
    // Measured with a script of one line: 227 MiB for 1,000 VUs, with some 70 of k6's own, and 60 for the program beside it. What a script holds, each VU holds.
    memoryMiB: 1_024,
    // Of k6 and the program beside it, measured at 1,000/s, and at 3,000/s.
    needs: { cpuUs: { quietUs: 295, busyUs: 200 } },
  };
}

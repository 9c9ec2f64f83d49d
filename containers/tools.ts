/** What every cluster has beside its nodes: the links, and the hand that looks and asks. */
import type { ToolSpec } from '../harness/cluster/spec.ts';

export const tools: ToolSpec = {
  toxiproxyImage: 'aftershock/toxiproxy:2.12.0',
  hand: { image: 'aftershock/node:24', program: 'containers/hand/main.ts', sources: ['harness/core', 'containers/hand'] },
};

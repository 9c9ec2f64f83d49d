/** What every cluster has beside its nodes: the links, the hand that looks and asks, and the reaper that cleans up after a harness that died. */
import type { ToolSpec } from '../harness/cluster/spec.ts';

export const tools: ToolSpec = {
  toxiproxyImage: 'aftershock/toxiproxy:2.12.0',
  reaper: { image: 'aftershock/node:24', program: 'containers/reaper/main.ts', sources: ['containers/reaper'] },
  hand: { image: 'aftershock/hand:1', program: 'containers/hand/main.ts', sources: ['harness/core', 'containers/hand'] },
};

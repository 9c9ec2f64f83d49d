/** What every cluster has beside its nodes: the links, the hand that looks and asks, and the reaper that cleans up after a harness that died. */
import type { ToolSpec } from '../harness/cluster/spec.ts';

export const tools: ToolSpec = {
  toxiproxyImage: 'aftershock/toxiproxy:2.12.0',
  reaper: { image: 'aftershock/node:24', program: 'containers/reaper/main.ts', sources: ['containers/reaper', 'harness/cluster/held'] },
  flooder: {
    image: 'aftershock/node:24',
    program: 'containers/flood/main.ts',
    sources: ['harness/core', 'harness/timeline', 'harness/load', 'containers/flood'],
  },
  resolver: { image: 'aftershock/hand:1', program: 'containers/resolver/main.ts', sources: ['containers/hand', 'containers/resolver'] },
  wireImage: 'aftershock/tun:1',
  warden: { image: 'aftershock/node:24', program: 'containers/warden/main.ts', sources: ['containers/reaper', 'containers/warden'] },
  hand: { image: 'aftershock/hand:1', program: 'containers/hand/main.ts', sources: ['harness/core', 'containers/hand'] },
};

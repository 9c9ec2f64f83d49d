/** An edge node: HAProxy in TCP mode, which spreads clients' connections over the proxies. */
import type { NodeSpec } from '../../harness/cluster/spec.ts';
import { linkName } from '../../harness/core/names.ts';
import { wholeNumber } from '../counts.ts';

export const EDGE_PORT = 11211;

export interface HaproxyOptions {
  readonly servers: readonly string[];
  /** Most connections at once. It holds two descriptors for each: 4,000 need 8,000 of the 20,000 that a process may have here. */
  readonly maxConnections?: number;
}

/** Throws InputError naming the option. */
export function haproxy(name: string, { servers, maxConnections = 4_000 }: HaproxyOptions): NodeSpec {
  wholeNumber('maxConnections', maxConnections, 1, 1_000_000);
  return {
    name,
    role: 'edge',
    image: 'aftershock/haproxy:2.6',
    command: ['haproxy', '-W', '-db', '-f', '/etc/aftershock/haproxy.cfg'],
    files: { '/etc/aftershock/haproxy.cfg': configuration(name, servers, maxConnections) },
    configuration: { path: '/etc/aftershock/haproxy.cfg', check: ['haproxy', '-c', '-f', '${path}'], reload: 'SIGUSR2' },
    port: EDGE_PORT,
    probe: { send: 'version\r\n', expect: 'VERSION', bye: 'quit\r\n' },
    memoryMiB: 256,
    // Measured before two twemproxies at 2,000/s; and at 61,000/s, where all was busy.
    needs: { mostConnections: maxConnections, onwards: 'one for each', cpuUs: { quietUs: 60, busyUs: 15 } },
  };
}

/** Idle connections live for a minute on both sides, longer than any pause in the load; leastconn fills a relieved proxy first. */
function configuration(name: string, servers: readonly string[], maxConnections: number): string {
  return `global
  maxconn ${maxConnections}

defaults
  mode tcp
  timeout connect 1s
  timeout client 60s
  timeout server 60s

frontend cache
  bind 0.0.0.0:${EDGE_PORT}
  default_backend proxies

backend proxies
  balance leastconn
${servers.map((server) => `  server ${server} \${link:${linkName(name, server)}}`).join('\n')}
`;
}

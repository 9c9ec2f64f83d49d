/**
 * A proxy node: one twemproxy (nutcracker) with one pool, ketama over fnv1a_64. Its settings are given in plain words; what they are
 * called in its own configuration, and its own defaults, stand beside each.
 */

import type { ConfigurationSpec, NodeSpec } from '../../harness/cluster/spec.ts';
import { InputError } from '../../harness/core/errors.ts';
import { linkName } from '../../harness/core/names.ts';
import { type Duration, milliseconds } from '../../harness/core/units.ts';
import { wholeNumber } from '../counts.ts';
import { stringify } from './yaml.ts';

export const TWEMPROXY_PORT = 22121;
export const TWEMPROXY_STATS_PORT = 22222;

export interface TwemproxyOptions {
  /** The caches, by name: the ring is made of the names, so that every proxy has the same one. */
  readonly servers: readonly string[];
  /** `timeout`: how long it waits for a server. 'never', its default, waits for ever. */
  readonly timeout?: Duration | 'never';
  /** `auto_eject_hosts` with `server_failure_limit` (default 2) and `server_retry_timeout` (default 30 s). Never by default. */
  readonly eject?: { readonly after: number; readonly retryIn: Duration } | 'never';
  /** `server_connections`: connections to each server, over which all clients' requests are pipelined. Default 1. */
  readonly connectionsPerServer?: number;
  /** `backlog`: clients that may wait to be accepted. Default 512. */
  readonly backlog?: number;
}

export function twemproxy(name: string, options: TwemproxyOptions): NodeSpec {
  return {
    name,
    role: 'proxy',
    image: 'aftershock/twemproxy:0.5',
    // Statistics are gathered anew each 200 ms (-i, default 30 s), so that readiness is seen soon after it is there.
    command: ['nutcracker', '-o', '/dev/stderr', '-c', '/etc/aftershock/nutcracker.yml', '-a', '0.0.0.0', '-s', String(TWEMPROXY_STATS_PORT), '-i', '200'],
    files: { '/etc/aftershock/nutcracker.yml': configuration(name, checked(options)) },
    configuration: CONFIGURATION,
    port: TWEMPROXY_PORT,
    probe: { send: 'version\r\n', expect: 'VERSION', bye: 'quit\r\n' },
    // It tells its statistics to whoever connects, without being asked, and closes: '"timestamp":1700000000'.
    wallClock: { port: TWEMPROXY_STATS_PORT, send: '', until: '\\}\\s*', find: '"timestamp":\\s*(\\d+)' },
    memoryMiB: 256,
    watchSockets: true,
    // Clients share its connections to the servers, and it takes as many as its limit on descriptors allows, which it does not raise. Measured
    // with two of them at 2,000/s together; and with one at 58,000/s, where all was busy.
    needs: { onwards: options.connectionsPerServer ?? 1, keepsSoftLimit: true, cpuUs: { quietUs: 65, busyUs: 12 } },
  };
}

/** It cannot read its file again. Its statistics, which it sends to whoever connects, have a part for each server, by its name. */
const CONFIGURATION: ConfigurationSpec = {
  path: '/etc/aftershock/nutcracker.yml',
  check: ['nutcracker', '-t', '-c', '${path}'],
  shows: { port: TWEMPROXY_STATS_PORT, send: '', until: '\\}\\s*', find: '"([^"]+)": ?\\{"server_eof"', inFile: '^ +- \\S+ (\\S+)$' },
};

/** Throws InputError naming the option. */
function checked(options: TwemproxyOptions): TwemproxyOptions {
  const { timeout = 'never', eject = 'never', connectionsPerServer = 1, backlog = 512 } = options;
  wholeNumber('connectionsPerServer', connectionsPerServer, 1, 64);
  wholeNumber('backlog', backlog, 1, 65_535);
  if (timeout !== 'never') wholeMs('proxyTimeout', timeout);
  if (eject !== 'never') {
    wholeMs('eject.retryIn', eject.retryIn);
    if (!Number.isInteger(eject.after) || eject.after < 1 || eject.after > 1_000)
      throw new InputError(`eject.after: ${eject.after} is not allowed; write a whole number from 1 to 1000`);
  }
  return options;
}

/** twemproxy takes whole milliseconds, one at least. */
function wholeMs(key: string, duration: Duration): number {
  const ms = milliseconds(duration, key);
  if (!Number.isInteger(ms) || ms < 1)
    throw new InputError(`${key}: '${duration}' is not allowed; write a whole number of milliseconds, '1ms' or more, or 'never'`);
  return ms;
}

/** The configuration file. Servers are always named: a nameless one is hashed by its address, and each proxy reaches it over a link of its own. */
function configuration(name: string, { servers, timeout = 'never', eject = 'never', connectionsPerServer = 1, backlog = 512 }: TwemproxyOptions): string {
  return stringify('cache', {
    listen: `0.0.0.0:${TWEMPROXY_PORT}`,
    hash: 'fnv1a_64',
    distribution: 'ketama',
    preconnect: false,
    backlog,
    server_connections: connectionsPerServer,
    ...(timeout === 'never' ? {} : { timeout: milliseconds(timeout) }),
    auto_eject_hosts: eject !== 'never',
    ...(eject === 'never' ? {} : { server_failure_limit: eject.after, server_retry_timeout: milliseconds(eject.retryIn) }),
    servers: servers.map((server) => `\${link:${linkName(name, server)}}:1 ${server}`),
  });
}

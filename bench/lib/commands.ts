/**
 * How each peer is called: in one place, so that it is easy to see that all are asked for the same thing.
 *
 * Everywhere one thread, the same number of connections, keys of about 32 bytes, values of 100, gets only.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CRUSHER_PREFIX, FIRST_KEY, KEY_PREFIX, VALUE_BYTES } from './memcached.ts';

export interface Load {
  readonly port: number;
  readonly connections: number;
  /** Requests in flight on each connection. */
  readonly depth: number;
  /** Distinct keys, drawn evenly where the tool can. */
  readonly keys: number;
  readonly binary: boolean;
  readonly seconds: number;
}

type Words = string[];

const words = (...of: readonly (string | number)[]): Words => of.map(String);

/** Every connection draws keys of its own: without --distinct-client-seed all ask for the same key at the same time, which a cache likes. */
export function memtier(path: string, { port, connections, depth, keys, binary, seconds }: Load): Words {
  return [
    ...words(
      path,
      '--server',
      '127.0.0.1',
      '--port',
      port,
      '--protocol',
      binary ? 'memcache_binary' : 'memcache_text',
      '--threads',
      1,
      '--clients',
      connections,
    ),
    ...words('--pipeline', depth, '--ratio', '0:1', '--key-prefix', KEY_PREFIX, '--key-minimum', FIRST_KEY, '--key-maximum', FIRST_KEY + keys - 1),
    ...words('--key-pattern', 'R:R', '--distinct-client-seed', '--data-size', VALUE_BYTES, '--test-time', seconds, '--hide-histogram'),
  ];
}

/** Its smallest window is 1,024 keys for each connection, which it stores itself before it begins to get: 51,200 keys with 50 connections. */
export function memcaslap(path: string, { port, connections, seconds }: Load, scratch: string): Words {
  const settings = join(scratch, 'memcaslap.cnf');
  writeFileSync(settings, `key\n32 32 1\nvalue\n${VALUE_BYTES} ${VALUE_BYTES} 1\ncmd\n0 0\n1 1\n`);
  return words(
    path,
    '--servers',
    `127.0.0.1:${port}`,
    '--threads',
    1,
    '--concurrency',
    connections,
    '--time',
    `${seconds}s`,
    '--cfg_cmd',
    settings,
    '--win_size',
    '1k',
  );
}

/** A thread for each connection: it has no other way. It ends after a number of requests. */
export function memcslap(path: string, { port, connections, seconds }: Load): Words {
  // 2,000/s for each thread is more than it reaches.
  return words(path, `--servers=127.0.0.1:${port}`, '--test=get', `--concurrency=${connections}`, `--execute-number=${seconds * 2_000}`);
}

/** It neither looks into answers nor times them, and goes through its keys in order. */
export function mcCrusher(path: string, { port, connections, depth, keys, binary, seconds }: Load, scratch: string): Words {
  const settings = join(scratch, 'mc-crusher.conf');
  const send = binary ? 'bin_get' : 'ascii_get';
  writeFileSync(settings, `send=${send},recv=blind_read,conns=${connections},key_prefix=${CRUSHER_PREFIX},key_count=${keys},pipelines=${depth}\n`);
  return words(path, '--conf', settings, '--ip', '127.0.0.1', '--port', port, '--timeout', seconds);
}

/** Its keys are its own: `loading` stores them. With --blocking it sleeps while there is nothing to read, as the others do. */
export function mutilate(path: string, { port, connections, depth, keys, binary, seconds }: Load, loading: boolean): Words {
  const data = words('--server', `127.0.0.1:${port}`, '--keysize', 32, '--valuesize', VALUE_BYTES, '--records', keys, ...(binary ? ['--binary'] : []));
  if (loading) return [path, ...data, '--loadonly'];
  return [path, ...data, ...words('--noload', '--blocking', '--threads', 1, '--connections', connections, '--depth', depth, '--time', seconds)];
}

export interface HttpLoad {
  readonly port: number;
  readonly connections: number;
  readonly ratePerSecond: number;
  readonly seconds: number;
}

const url = (port: number): string => `http://127.0.0.1:${port}/`;

/** `script` is the k6 script; it takes everything from its environment. */
export function k6(path: string, script: string): Words {
  return words(path, 'run', '--quiet', '--no-usage-report', '--address', '', script);
}

export function k6Environment({ port, ratePerSecond, seconds }: HttpLoad, users: number): Record<string, string> {
  return {
    AFTERSHOCK_URL: url(port),
    AFTERSHOCK_RATE: String(ratePerSecond),
    AFTERSHOCK_SECONDS: String(seconds),
    AFTERSHOCK_USERS: String(users),
    K6_NO_COLOR: 'true',
  };
}

/** `into` is the file for its results, which `vegeta report` reads. */
export function vegeta(path: string, { port, ratePerSecond, seconds }: HttpLoad, into: string, more: readonly string[] = []): Words {
  const targets = `${into}.targets`;
  writeFileSync(targets, `GET ${url(port)}\n`);
  return words(path, 'attack', `-targets=${targets}`, `-rate=${ratePerSecond}/1s`, `-duration=${seconds}s`, `-output=${into}`, ...more);
}

export function wrk(path: string, { port, connections, seconds }: Omit<HttpLoad, 'ratePerSecond'>): Words {
  return words(path, '--threads', 1, '--connections', connections, '--duration', `${seconds}s`, '--latency', url(port));
}

export function wrk2(path: string, { port, connections, ratePerSecond, seconds }: HttpLoad): Words {
  return words(path, '--threads', 1, '--connections', connections, '--duration', `${seconds}s`, '--rate', ratePerSecond, '--latency', url(port));
}

export function oha(path: string, { port, connections, ratePerSecond, seconds }: HttpLoad, more: readonly string[] = []): Words {
  return words(path, '--no-tui', '--output-format', 'json', '-z', `${seconds}s`, '-q', ratePerSecond, '-c', connections, ...more, url(port));
}

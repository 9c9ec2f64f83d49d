/**
 * The programs that we are measured against: where each comes from, and which version this machine has.
 *
 * What package registries have is installed; what has to be built from source by hand is used where it is on the PATH.
 */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { which } from '../../scripts/setup/commands.ts';
import { Program } from './processes.ts';

/** Where programs are installed that no package manager looks after. Outside the checkout, so that a fresh clone finds them. */
export const PEERS_FOLDER = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'aftershock', 'bench-peers');

export type Source =
  | { readonly debian: string }
  /** What `go install` takes; or a module of ours under `bench/` that pins it, with the package to build there. */
  | { readonly go: string; readonly module?: string; readonly ldflags?: string }
  | { readonly cargo: string }
  /** Found on the PATH or not at all; the words are for people. */
  | { readonly byHand: string };

export interface Peer {
  readonly name: string;
  readonly command: string;
  readonly source: Source;
  /** The arguments that make it tell its version; left out for those that tell none. */
  readonly versionArguments?: readonly string[];
  /** A measurement that uses it cannot do without. */
  readonly indispensable?: boolean;
}

export interface FoundPeer {
  readonly path: string;
  readonly version: string;
}

export const PEERS: readonly Peer[] = [
  { name: 'memcached', command: 'memcached', source: { debian: 'memcached' }, versionArguments: ['-V'], indispensable: true },
  { name: 'cc', command: 'cc', source: { debian: 'gcc libc6-dev' }, versionArguments: ['--version'], indispensable: true },
  { name: 'memcaslap', command: 'memcaslap', source: { debian: 'libmemcached-tools' }, versionArguments: ['--version'] },
  { name: 'memcslap', command: 'memcslap', source: { debian: 'libmemcached-tools' }, versionArguments: ['--version'] },
  { name: 'wrk', command: 'wrk', source: { debian: 'wrk' }, versionArguments: ['-v'] },
  { name: 'go', command: 'go', source: { byHand: 'go.dev/dl' }, versionArguments: ['version'] },
  { name: 'k6', command: 'k6', source: { go: 'go.k6.io/k6@v1.8.1' }, versionArguments: ['version'] },
  {
    name: 'vegeta',
    command: 'vegeta',
    source: { go: 'github.com/tsenart/vegeta/v12', module: 'vegeta', ldflags: '-X main.Version=v12.13.0' },
    versionArguments: ['-version'],
  },
  { name: 'oha', command: 'oha', source: { cargo: 'oha' }, versionArguments: ['--version'] },
  { name: 'memtier', command: 'memtier_benchmark', source: { byHand: 'github.com/RedisLabs/memtier_benchmark' }, versionArguments: ['--version'] },
  { name: 'mc-crusher', command: 'mc-crusher', source: { byHand: 'github.com/memcached/mc-crusher' } },
  { name: 'mutilate', command: 'mutilate', source: { byHand: 'github.com/leverich/mutilate' }, versionArguments: ['--version'] },
  { name: 'wrk2', command: 'wrk2', source: { byHand: 'github.com/giltene/wrk2' }, versionArguments: ['-v'] },
];

/** The path of a peer's program; undefined when this machine has none. */
export function pathOf(peer: Peer): string | undefined {
  return which(peer.command, [join(PEERS_FOLDER, 'bin'), '/usr/local/go/bin']);
}

/** Every peer that is here, with its version. */
export async function findPeers(peers: readonly Peer[]): Promise<Map<string, FoundPeer>> {
  const found = new Map<string, FoundPeer>();
  for (const peer of peers) {
    const path = pathOf(peer);
    if (path !== undefined) found.set(peer.name, { path, version: await versionOf(peer, path) });
  }
  return found;
}

/** A file beside the program, named like it with `.version`, speaks for programs that were built from a commit and tell nothing useful. */
async function versionOf(peer: Peer, path: string): Promise<string> {
  const note = `${path}.version`;
  if (existsSync(note)) return readFileSync(note, 'utf8').trim();
  if (peer.versionArguments === undefined) return 'it tells no version';
  // Some end with an exit code of 1 after they have told their version: wrk does.
  const { stdout, stderr } = await (await Program.start([path, ...peer.versionArguments])).ended;
  return versionIn(`${stdout}\n${stderr}`);
}

/** '1.6.18' in 'memcached 1.6.18'; the first line when there is no such word. */
export function versionIn(text: string): string {
  const first = text.split('\n').find((line) => /\d+\.\d+/.test(line)) ?? text.split('\n')[0] ?? '';
  return /\d+(?:\.\d+)+[\w.+-]*/.exec(first)?.[0] ?? (first.trim() || 'unknown');
}

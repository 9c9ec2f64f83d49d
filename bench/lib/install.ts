/**
 * Brings the peers that package registries have. Each installation is announced, and none happens when it was refused.
 */
import { join } from 'node:path';
import { EnvironmentError, messageOf } from '../../harness/core/errors.ts';
import { ROOT, say, step } from '../../scripts/plain/progress.mjs';
import { command, which } from '../../scripts/setup/commands.ts';
import { canInstall, installPackages } from '../../scripts/setup/debian.ts';
import { PEERS_FOLDER, type Peer, pathOf } from './peers.ts';

/** Installs what is missing and can be had; what cannot is said, and left out. */
export async function installPeers(peers: readonly Peer[], allowed: boolean, signal: AbortSignal): Promise<void> {
  const missing = peers.filter((peer) => pathOf(peer) === undefined);
  if (allowed) await installDebian(missing);
  for (const peer of missing) {
    signal.throwIfAborted();
    if (pathOf(peer) !== undefined) continue;
    if (allowed && ('go' in peer.source || 'cargo' in peer.source)) {
      try {
        await installOne(peer, signal);
      } catch (thrown) {
        if (!(thrown instanceof EnvironmentError)) throw thrown;
        say(`${peer.name} is left out: ${messageOf(thrown)}`);
      }
    } else {
      say(`${peer.name} is not here; ${adviceFor(peer)}`);
    }
  }
}

/** How to get it, as the end of a sentence. */
export function adviceFor({ source }: Peer): string {
  if ('debian' in source) return `on Debian, type: apt-get install ${source.debian}`;
  if ('go' in source) return source.module ? `bench/${source.module}/go.mod pins it: go build ${source.go}` : `type: go install ${source.go}`;
  if ('cargo' in source) return `type: cargo install --locked ${source.cargo}`;
  return `it comes from ${source.byHand} and is used when it is on the PATH`;
}

async function installDebian(missing: readonly Peer[]): Promise<void> {
  const packages = [...new Set(missing.flatMap(({ source }) => ('debian' in source ? source.debian.split(' ') : [])))];
  if (packages.length === 0) return;
  if (!canInstall()) {
    say(`this is not Debian or Ubuntu as root, so these are not installed: ${packages.join(', ')}`);
    return;
  }
  // The package starts a server of its own where services are started. It listens on loopback, at another port than ours.
  if (packages.includes('memcached')) say('the Debian package memcached may start a memcached of its own on 127.0.0.1:11211; the measurements leave it alone');
  await installPackages(packages, 'for the measurements');
}

async function installOne(peer: Peer, signal: AbortSignal): Promise<void> {
  const bin = join(PEERS_FOLDER, 'bin');
  const { source } = peer;
  if ('go' in source) {
    const go = which('go', ['/usr/local/go/bin']);
    if (go === undefined) throw new EnvironmentError('it takes Go on the PATH (go.dev/dl) to build it');
    await step(`building ${peer.name} with Go into ${PEERS_FOLDER} (for the measurements)`, async (log) => {
      // Away from the checkout, whose go.mod files are none of this program's business.
      if (source.module === undefined) {
        await command(go, ['install', source.go], { log, signal, cwd: '/', env: { GOBIN: bin, GOFLAGS: '' } });
      } else {
        const flags = ['-trimpath', '-buildvcs=false', '-ldflags', `-s -w ${source.ldflags ?? ''}`.trim()];
        const cwd = join(ROOT, 'bench', source.module);
        await command(go, ['build', ...flags, '-o', join(bin, peer.command), source.go], { log, signal, cwd, env: { GOFLAGS: '' } });
      }
    });
  } else if ('cargo' in source) {
    const cargo = which('cargo');
    if (cargo === undefined) throw new EnvironmentError('it takes cargo on the PATH (rustup.rs) to build it');
    await step(`building ${peer.name} with cargo into ${PEERS_FOLDER} (takes minutes; --without ${peer.name} does without)`, (log) =>
      command(cargo, ['install', '--locked', '--root', PEERS_FOLDER, source.cargo], { log, signal }),
    );
  }
}

/**
 * Finds a container engine, and where this is Debian or Ubuntu and the user is root, brings one.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { platform } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EngineAddress, findEngine } from '../../harness/cluster/engine-address.ts';
import { EnvironmentError } from '../../harness/core/errors.ts';
import { say, step } from '../plain/progress.mjs';
import { command, which } from './commands.ts';
import { canInstall, installPackages, isDebianLike } from './debian.ts';

const START_PATIENCE_MS = 60_000;
const DAEMON_LOG = '/var/log/aftershock-dockerd.log';
/** Where the daemon is when the PATH is a plain user's. */
const SYSTEM_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin'];

/** The engine that answers, started or installed first where that is possible. Throws EnvironmentError that says what to type. */
export async function ensureEngine(signal: AbortSignal): Promise<EngineAddress> {
  const found = await findEngine();
  if (found) return found;
  if (!canInstall()) throw new EnvironmentError(`no container engine answers; ${engineAdvice()}`);
  if (which('dockerd', SYSTEM_FOLDERS) === undefined) {
    say('no container engine answers, and none is installed; this is Debian or Ubuntu and you are root, so Docker is installed now');
    await installPackages(['docker.io', 'iptables'], 'the container engine');
  } else {
    say('no container engine answers; Docker is installed, so it is started now');
  }
  return (await findEngine()) ?? startDocker(signal);
}

/** What to type on this machine to have an engine, as the end of a sentence. */
export function engineAdvice(): string {
  if (platform() === 'darwin') return 'start Docker Desktop, or type: brew install colima docker && colima start';
  if (platform() === 'win32') return 'start Docker Desktop';
  if (canInstall()) return 'type: AFTERSHOCK_SETUP=auto npm run setup (which installs and starts Docker)';
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
  if (which('dockerd', SYSTEM_FOLDERS)) return `Docker is installed but not running; type: ${sudo}systemctl start docker`;
  if (isDebianLike()) return `type: ${sudo}apt-get update && ${sudo}apt-get install -y docker.io iptables`;
  return `install and start Docker (docs.docker.com/engine/install), or type: ${sudo}systemctl start podman.socket`;
}

async function startDocker(signal: AbortSignal): Promise<EngineAddress> {
  const bySystemd = existsSync('/run/systemd/system');
  return step('starting Docker', async (log) => {
    let ended: string | undefined;
    if (bySystemd) await command('systemctl', ['start', 'docker'], { log, signal });
    else if (!isStarting()) startDaemon((why) => (ended = why));
    const giveUpAt = performance.now() + START_PATIENCE_MS;
    while (performance.now() < giveUpAt) {
      signal.throwIfAborted();
      const address = await findEngine();
      if (address) return address;
      if (ended !== undefined) throw new EnvironmentError(`dockerd ended at once (${ended}); ${DAEMON_LOG} says why`);
      await sleep(250);
    }
    const where = bySystemd ? "'journalctl -u docker' says why" : `${DAEMON_LOG} says why`;
    throw new EnvironmentError(`Docker was started and does not answer after ${START_PATIENCE_MS / 1_000} s; ${where}`);
  });
}

/** Starts dockerd in a session of its own, so that it outlives us. */
function startDaemon(onEnd: (why: string) => void): void {
  const log = openSync(DAEMON_LOG, 'a');
  const daemon = spawn(which('dockerd', SYSTEM_FOLDERS) ?? 'dockerd', [], { detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  daemon.on('error', (error) => onEnd(error.message));
  daemon.on('exit', (code, signal) => onEnd(`exit code ${code ?? signal}`));
  daemon.unref();
}

/** Whether somebody else's dockerd is on its way up: a second one would end with an error. */
function isStarting(): boolean {
  const file = '/var/run/docker.pid';
  if (!existsSync(file)) return false;
  const comm = `/proc/${readFileSync(file, 'utf8').trim()}/comm`;
  return existsSync(comm) && readFileSync(comm, 'utf8').trim() === 'dockerd';
}

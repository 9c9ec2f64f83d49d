/**
 * What a set-up may install by itself: packages, on Debian and Ubuntu, as root. Everywhere else it says what to type.
 */
import { existsSync, readFileSync } from 'node:fs';
import { EnvironmentError } from '../../harness/core/errors.ts';
import { step } from '../plain/progress.mjs';
import { command } from './commands.ts';

/** Windows has no user ids. */
const NOBODY = -1;

/** Whether packages can be installed from here. `release` is the text of os-release(5). */
export function canInstall(release: string = osRelease(), uid: number = process.getuid?.() ?? NOBODY): boolean {
  return uid === 0 && isDebianLike(release);
}

/** Whether this is Debian, Ubuntu, or a system that says it is like them. */
export function isDebianLike(release: string = osRelease()): boolean {
  const names = [...release.matchAll(/^ID(?:_LIKE)?=(.*)$/gm)].flatMap(([, value = '']) => value.replaceAll('"', '').split(' '));
  return names.includes('debian') || names.includes('ubuntu');
}

/** Installs Debian packages, without questions. Throws EnvironmentError. */
export async function installPackages(names: readonly string[], why: string): Promise<void> {
  await step(`installing the Debian packages ${names.join(', ')} (${why})`, async (log) => {
    const options = { log, env: { DEBIAN_FRONTEND: 'noninteractive' } };
    // Another apt may be at work (unattended upgrades, on a machine that has just started): wait for it for a minute.
    const patience = ['-o', 'DPkg::Lock::Timeout=60'];
    try {
      await command('apt-get', [...patience, 'update'], options);
      await command('apt-get', [...patience, 'install', '-y', '--no-install-recommends', ...names], options);
    } catch (thrown) {
      if (!(thrown instanceof EnvironmentError)) throw thrown;
      throw new EnvironmentError(`${thrown.message}; once that is put right, type: npm run setup`, { cause: thrown });
    }
  });
}

function osRelease(): string {
  return existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
}

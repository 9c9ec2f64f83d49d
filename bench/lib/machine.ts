/**
 * What machine this is, and whether it is quiet.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { EnvironmentError } from '../../harness/core/errors.ts';
import { which } from '../../scripts/setup/commands.ts';
import { machineBusySeconds } from './cpu.ts';

export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly kernel: string;
  readonly system: string;
  /** Cores that were busy with other things just before the measurements. */
  readonly busyCores: number;
}

/** Servers on the first core, generators on the second. */
export const SERVER_CORE = 0;
export const GENERATOR_CORE = 1;

/** More than this beside us, and the figures are not worth much: a twentieth of a core. */
export const QUIET_CORES = 0.05;

/** Throws EnvironmentError on a machine on which nothing can be measured. */
export function requireMachine(): void {
  if (process.platform !== 'linux') throw new EnvironmentError('the measurements need Linux: they read /proc and bind programs to cores');
  if (availableParallelism() < 2) throw new EnvironmentError('the measurements need two processor cores: one for the server, one for the generator');
  if (which('taskset') === undefined) throw new EnvironmentError('taskset is not installed, which binds programs to cores; it comes with util-linux');
}

export async function describeMachine(): Promise<Machine> {
  const lookMs = 1_000;
  const before = machineBusySeconds();
  await sleep(lookMs);
  const busyCores = Number(((machineBusySeconds() - before) / (lookMs / 1_000)).toFixed(2));
  const system = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  return { cores: availableParallelism(), processor: cpus()[0]?.model.trim() ?? 'unknown', kernel: release(), system, busyCores };
}

/** On what a run ran, as plain pairs of words: saved beside its timeline, so that a figure can be read years later. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../cluster/engine.ts';
import { shortName } from '../cluster/images.ts';
import { EnvironmentError } from '../core/errors.ts';
import type { Plan } from './types.ts';

const ROOT = join(import.meta.dirname, '..', '..');

export async function describeEnvironment(engine: Engine, plan: Plan): Promise<Record<string, string>> {
  const names = [...new Set([...plan.cluster.nodes.map((node) => node.image), plan.cluster.tools.toxiproxyImage, plan.cluster.tools.hand.image])].toSorted();
  const images = await Promise.all(
    names.map(async (name) => {
      const image = await inspected(engine, name);
      return [
        `image ${name}`,
        `${image.Id}${image.Config.Labels?.['io.aftershock.origin'] ? `, ${image.Config.Labels['io.aftershock.origin']}` : ''}`,
      ] as const;
    }),
  );
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  return {
    date: new Date().toISOString(),
    aftershock: version,
    commit: gitCommit(),
    node: process.version,
    engine: `${engine.name} ${engine.version}`,
    'engine kernel': engine.kernel,
    'engine processors': String(engine.cpus),
    'engine memory': `${Math.round(engine.memoryBytes / 2 ** 20)} MiB`,
    'engine cgroups': `v${engine.cgroupVersion}${engine.rootless ? ', rootless' : ''}`,
    ...Object.fromEntries(images),
  };
}

/** Throws EnvironmentError when the engine does not have it: nothing is pulled or built in the middle of a run. */
async function inspected(engine: Engine, name: string) {
  try {
    return await engine.docker.getImage(name).inspect();
  } catch (thrown) {
    if ((thrown as { statusCode?: number }).statusCode !== 404) throw thrown;
    throw new EnvironmentError(`the engine does not have the image ${name}; type: npm run setup -- ${shortName(name)}`, { cause: thrown });
  }
}

/** The commit of this checkout, marked when it was changed; 'none' outside one. */
function gitCommit(): string {
  const git = (...args: string[]) => execFileSync('git', ['-C', ROOT, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return git('rev-parse', 'HEAD') + (git('status', '--porcelain') === '' ? '' : ', changed');
  } catch {
    // No git, or no repository: an installed package has neither.
    return 'none';
  }
}

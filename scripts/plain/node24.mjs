/**
 * Finds the Node that this project runs under (24 or later: it runs TypeScript as it is) and tells whether the npm packages are those of package-lock.json.
 *
 * Plain JavaScript: it is needed before anything is installed.
 */
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ROOT } from './progress.mjs';

const NEEDED = 24;

/** Where the npm package `node` has its binary. It is an optional dependency: on a system that it has no binary for, any Node from 24 on will do. */
const INSTALLED = join(ROOT, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node');

/**
 * The Node that the npm package `node` installed, or the one that runs this file when that is new enough; undefined when there is none.
 *
 * @returns {string | undefined}
 */
export function node24() {
  if (Number(process.versions.node.split('.')[0]) >= NEEDED) return process.execPath;
  return existsSync(INSTALLED) ? INSTALLED : undefined;
}

/** The environment for what runs under it: the commands of our packages come first. */
export function environment() {
  return { ...process.env, PATH: [join(ROOT, 'node_modules/.bin'), process.env.PATH].join(delimiter) };
}

/**
 * Why `npm ci` is needed, in a few words; undefined when it is not. npm writes down what it installed in node_modules/.package-lock.json, as its last act.
 *
 * @returns {string | undefined}
 */
export function packagesMissing() {
  const written = join(ROOT, 'node_modules/.package-lock.json');
  if (!existsSync(written)) return 'they are not installed';
  const installed = packagesOf(written);
  for (const [path, wanted] of Object.entries(packagesOf(join(ROOT, 'package-lock.json')))) {
    // The first entry is the project itself; optional packages are those of other operating systems.
    if (path === '' || wanted.optional || wanted.devOptional || wanted.peer) continue;
    if (installed[path]?.version !== wanted.version) return `${path.replace(/^.*node_modules\//, '')} is not at ${wanted.version}`;
  }
  return undefined;
}

/**
 * @param {string} lock
 * @returns {Record<string, { version: string, optional?: boolean, devOptional?: boolean, peer?: boolean }>}
 */
function packagesOf(lock) {
  return JSON.parse(readFileSync(lock, 'utf8')).packages;
}

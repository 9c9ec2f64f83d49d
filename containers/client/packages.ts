/**
 * Which folders a program needs beside it that imports npm packages: those of the packages, and of all that they import in turn, found as Node would
 * find them. Laid into a container under the same paths, they are found there in the same way.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { EnvironmentError } from '../../harness/core/errors.ts';

const ROOT = join(import.meta.dirname, '../..');

/**
 * The folders of these packages and of everything that they depend on, relative to `root`, for `NodeSpec.sources`. A package that lies inside of another's
 * folder comes with that one. Throws EnvironmentError when one is not installed.
 */
export function packageFolders(names: readonly string[], root = ROOT): string[] {
  const found = new Set<string>();
  const visit = (name: string, from: string) => {
    const folder = folderOf(name, from, root);
    if (found.has(folder)) return;
    found.add(folder);
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { dependencies?: Record<string, string> };
    for (const dependency of Object.keys(dependencies)) visit(dependency, folder);
  };
  for (const name of names) visit(name, root);
  const folders = [...found];
  return folders
    .filter((folder) => !folders.some((other) => folder.startsWith(`${other}/`)))
    .map((folder) => relative(root, folder))
    .sort();
}

/** Where Node finds a package that is imported from a file in this folder: in the nearest node_modules that has it. */
function folderOf(name: string, from: string, root: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
    if (folder === root || folder === dirname(folder)) break;
  }
  throw new EnvironmentError(`the package '${name}' is not installed in ${root}; type: npm ci`);
}

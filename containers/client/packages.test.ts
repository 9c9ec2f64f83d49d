import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageFolders } from './packages.ts';

/** A project whose packages are what their paths say, each with these dependencies. */
function project(packages: Record<string, readonly string[]>) {
  const root = mkdtempSync(join(tmpdir(), 'aftershock-packages-'));
  for (const [path, dependencies] of Object.entries(packages)) {
    const file = join(root, path, 'package.json');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(dependencies.length > 0 ? { dependencies: Object.fromEntries(dependencies.map((name) => [name, '*'])) } : {}));
  }
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true }) };
}

describe('packageFolders', () => {
  it('finds what a package imports, and what that imports, each once', () => {
    using is = project({
      'node_modules/a': ['b', '@scope/c'],
      'node_modules/b': ['d'],
      'node_modules/@scope/c': ['d', 'a'],
      'node_modules/d': [],
      'node_modules/e': [],
    });
    expect(packageFolders(['a'], is.root)).toEqual(['node_modules/@scope/c', 'node_modules/a', 'node_modules/b', 'node_modules/d']);
    expect(packageFolders(['d', 'd'], is.root)).toEqual(['node_modules/d']);
  });

  it('takes the nearest of two versions, which comes with the package that holds it, and what that one imports from further up', () => {
    using is = project({
      'node_modules/a': ['b'],
      'node_modules/a/node_modules/b': ['c'],
      'node_modules/b': ['d'],
      'node_modules/c': [],
      'node_modules/d': [],
    });
    expect(packageFolders(['a'], is.root)).toEqual(['node_modules/a', 'node_modules/c']);
  });

  it('says which package is not installed', () => {
    using is = project({ 'node_modules/a': ['b'] });
    expect(() => packageFolders(['a'], is.root)).toThrow(/the package 'b' is not installed in .*; type: npm ci/);
  });

  it('finds the libraries that clients can use', () => {
    expect(packageFolders(['memjs'])).toEqual(['node_modules/memjs']);
    expect(packageFolders(['memcached'])).toEqual(expect.arrayContaining(['node_modules/hashring', 'node_modules/jackpot', 'node_modules/memcached']));
  });
});

/** The shape of the house, read from its source: who may import whom, and how long a file may be. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

/** Rooms, and the rooms below each that it may import from. Types count like anything else. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  'harness/core': [],
  'harness/timeline': ['harness/core'],
  'harness/cluster': ['harness/core'],
  'harness/faults': ['harness/core', 'harness/cluster', 'harness/timeline'],
  'harness/load': ['harness/core', 'harness/timeline'],
  'harness/slo': ['harness/core', 'harness/timeline'],
  // The nouns of a run (plan, report) are types, which a report is written from.
  'harness/report': ['harness/core', 'harness/timeline', 'harness/slo', 'harness/run'],
  'harness/run': ['harness/core', 'harness/timeline', 'harness/cluster', 'harness/faults', 'harness/load', 'harness/slo', 'harness/report'],
  'harness/cli': ['harness/core', 'harness/timeline', 'harness/cluster', 'harness/faults', 'harness/slo', 'harness/run', 'harness/report'],
  harness: ['harness/faults', 'harness/run', 'harness/slo'],
  containers: ['harness'],
  scenarios: ['harness', 'containers'],
};

/** What runs inside a container, where no package is installed. */
const INSIDE_CONTAINERS = [
  'harness/core/',
  'harness/timeline/',
  'harness/load/',
  'harness/cluster/held/',
  'containers/client/connections-main.ts',
  'containers/client/main.ts',
  'containers/client/ready.ts',
  'containers/client/readiness.ts',
  'containers/client/settings.ts',
  'containers/client/library-',
  'containers/flood/',
  'containers/hand/',
  'containers/http/main.ts',
  'containers/http/ready.ts',
  'containers/k6/adapter/',
  'containers/memcached/',
  'containers/redis/main.ts',
  'containers/resolver/',
  'containers/redis/ready.ts',
  'containers/redis/resp.ts',
  'containers/twemproxy/ketama.ts',
];

/**
 * The exception: one program carries a load by the libraries that applications use, to be held against our own clients. Their packages are laid in
 * beside it (`containers/client/library.ts`), and each is imported in one place.
 */
const LAID_IN: Readonly<Record<string, string>> = {
  'containers/client/library-memcached.ts': 'memcached',
  'containers/client/library-memjs.ts': 'memjs',
};

const LONGEST_FILE = 320;

interface Source {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly { readonly from: string; readonly typeOnly: boolean }[];
}

const sources: Source[] = ['harness', 'containers', 'scenarios'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const path = join(folder, name).split(sep).join('/');
      const text = readFileSync(join(ROOT, path), 'utf8');
      const statements = text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm);
      return { path, text, imports: [...statements].map(([, type, from]) => ({ from: from as string, typeOnly: type !== undefined })) };
    }),
);
const product = sources.filter(({ path }) => !/\.(test|fixture)\.ts$/.test(path));

function roomOf(path: string): string {
  const [top = '', second = ''] = path.split('/');
  return top === 'harness' && second.includes('.') ? 'harness' : top === 'harness' ? `${top}/${second}` : top;
}

function resolved(source: Source, from: string): string {
  return relative(ROOT, resolve(ROOT, dirname(source.path), from))
    .split(sep)
    .join('/');
}

describe('the house', () => {
  it('is read at all', () => {
    expect(product.length).toBeGreaterThan(40);
    expect(product.flatMap(({ imports }) => imports).length).toBeGreaterThan(100);
  });

  it('has arrows that point one way', () => {
    const wrong = product.flatMap((source) => {
      const room = roomOf(source.path);
      const allowed = MAY_IMPORT[room] ?? [];
      return source.imports
        .filter(({ from }) => from.startsWith('.'))
        .map(({ from }) => resolved(source, from))
        .filter((target) => roomOf(target) !== room && !allowed.some((below) => roomOf(target) === below || target.startsWith(`${below}/`)))
        .map((target) => `${source.path} -> ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it('lets reports use only the nouns of a run, never its effects', () => {
    const wrong = product
      .filter(({ path }) => path.startsWith('harness/report/'))
      .flatMap((source) =>
        source.imports
          .filter(({ from, typeOnly }) => resolved(source, from).startsWith('harness/run/') && !typeOnly)
          .map(({ from }) => `${source.path} -> ${from}`),
      );
    expect(wrong).toEqual([]);
  });

  it('imports no package in what runs inside a container', () => {
    const inside = product.filter(({ path }) => INSIDE_CONTAINERS.some((prefix) => path.startsWith(prefix)));
    const wrong = inside.flatMap(({ path, imports }) =>
      imports
        .filter(({ from, typeOnly }) => !typeOnly && !from.startsWith('.') && !from.startsWith('node:') && from !== LAID_IN[path])
        .map(({ from }) => `${path} -> ${from}`),
    );
    expect(inside.length).toBeGreaterThan(10);
    expect(wrong).toEqual([]);
  });

  it('has files that one can hold in the head', () => {
    const long = product.map(({ path, text }) => ({ path, lines: text.split('\n').length })).filter(({ lines }) => lines > LONGEST_FILE);
    expect(long).toEqual([]);
  });

  it('opens every file with what it is for', () => {
    const mute = product.filter(({ text }) => !/^(#!.*\n)?\/\*\*/.test(text)).map(({ path }) => path);
    expect(mute).toEqual([]);
  });

  it('has no focused, skipped or repeated test', () => {
    const words = ['only', 'skip', 'todo', 'fails'].map((word) => `.${word}(`);
    const found = sources
      .filter(
        ({ path, text }) => path.endsWith('.test.ts') && words.some((word) => new RegExp(`\\b(it|test|describe)\\${word.replace('(', '\\(')}`).test(text)),
      )
      .map(({ path }) => path);
    expect(found).toEqual([]);
  });
});

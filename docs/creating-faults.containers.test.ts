/** The fault that docs/CREATING_FAULTS.md grows, and its test, as they stand there: they compile, and do what they say. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../harness/cli/spawned.fixture.ts';
import { catalogue } from '../harness/faults/catalogue.ts';

const ROOT = join(import.meta.dirname, '..');
const page = readFileSync(join(import.meta.dirname, 'CREATING_FAULTS.md'), 'utf8');
const folder = temporaryFolder();
afterAll(() => folder.remove());

/** As if they stood in harness/faults/link: that folder's own neighbours are named from where the files are laid. */
const [source = '', test = ''] = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, block = '']) =>
  block
    .replaceAll("'../../core/", "'../../harness/core/")
    .replaceAll(/'\.\.\/(?=[a-z.-]+\.ts')/g, "'../../harness/faults/")
    .replaceAll("'./kind.ts'", "'../../harness/faults/link/kind.ts'"),
);
const files = [folder.file('hang-up.ts', source), folder.file('hang-up.containers.test.ts', test)];
folder.file('tsconfig.json', JSON.stringify({ extends: '../../tsconfig.json', include: ['*.ts'] }));

describe('the page on creating faults', () => {
  it('shows a fault that is none of those that there are', () => {
    expect(source).toContain("kind: 'hang-up'");
    expect(catalogue().map(({ kind }) => kind.kind)).not.toContain('hang-up');
  });

  it('shows code that compiles', () => {
    expect(() => execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', folder.path], { encoding: 'utf8', stdio: 'pipe' })).not.toThrow();
  });
});

// Its tests are told here like any others.
await import(files[1] as string);

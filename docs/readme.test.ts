/** What the README shows is what there is. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FAULT_KINDS } from '../harness/faults/index.ts';

const ROOT = join(import.meta.dirname, '..');
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

describe('the README', () => {
  it('shows the scenario file as it is', () => {
    const [, shown] = /```ts\n(.*?)```/s.exec(readme) ?? [];
    expect(shown).toBe(readFileSync(join(ROOT, 'scenarios/incidents/slow-node.ts'), 'utf8'));
  });

  it('links to files that are there', () => {
    const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map(([, link]) => link as string).filter((link) => !link.startsWith('http'));
    expect(links.length).toBeGreaterThan(8);
    expect(links.filter((link) => !existsSync(join(ROOT, link)))).toEqual([]);
  });

  it('names every fault, and how many there are', () => {
    const named = FAULT_KINDS.map(({ kind }) => kind.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase()));
    expect(named.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
    expect(readme).toContain(`| ${named.length} faults, each with`);
  });

  it('names the scripts that package.json has', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    const named = [...readme.matchAll(/npm (?:run )?(demo|test|setup|check)\b/g)].map(([, name]) => name as string);
    expect(named).toContain('demo');
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});

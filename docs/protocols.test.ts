/** What the page on protocols shows is what there is. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const page = readFileSync(join(import.meta.dirname, 'protocols.md'), 'utf8');
const root = join(import.meta.dirname, '..');

describe('the page on protocols', () => {
  it('links to files that are there', () => {
    const links = [...page.matchAll(/\]\(([^)#]+)\)/g)].map(([, link]) => link as string);
    expect(links.length).toBeGreaterThan(10);
    expect(links.filter((link) => !existsSync(join(import.meta.dirname, link)))).toEqual([]);
  });

  it('quotes the source as it is', () => {
    const quotes = [...page.matchAll(/<!-- from (\S+) -->\n```ts\n(.*?)```/gs)];
    expect(quotes).toHaveLength(2);
    for (const [, path, text] of quotes) expect(readFileSync(join(root, path as string), 'utf8')).toContain(text);
  });
});

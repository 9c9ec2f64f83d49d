import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { tarOf, textIn } from './inside.ts';

describe('an archive of one file', () => {
  it.each(['', 'maxconn 100\n', 'é'.repeat(700), 'x'.repeat(512)])('is one that tar reads: %#', (text) => {
    const tar = tarOf('haproxy.cfg', text);
    expect(execFileSync('tar', ['-xOf', '-'], { input: tar }).toString()).toBe(text);
    expect(execFileSync('tar', ['-tvf', '-'], { input: tar }).toString()).toMatch(/^-rw-r--r-- .* haproxy\.cfg\n$/);
    expect(textIn(tar)).toBe(text);
  });
});

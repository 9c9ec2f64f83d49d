import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BASE_IMAGE, IMAGES, NODE_VERSION } from './images.ts';

const ROOT = join(import.meta.dirname, '..');

describe('the images', () => {
  it('have a recipe each, and no two the same', () => {
    expect(new Set(IMAGES.map(({ recipe }) => recipe)).size).toBe(IMAGES.length);
    for (const { recipe } of IMAGES) expect(recipe).toMatch(/^[0-9a-f]{16}$/);
  });

  it('are made after the one that they stand on', () => {
    expect(IMAGES[0]?.tag).toBe(BASE_IMAGE);
    for (const { folder } of IMAGES.slice(1)) expect(readFileSync(join(ROOT, folder, 'Dockerfile'), 'utf8')).toContain(`FROM ${BASE_IMAGE}\n`);
  });

  it('have a Dockerfile for upstream exactly when they can be pulled from there', () => {
    for (const { folder, upstream } of IMAGES) expect(existsSync(join(ROOT, folder, 'Dockerfile.upstream'))).toBe(upstream !== undefined);
  });

  it('run clients under one exact version of Node', () => {
    expect(NODE_VERSION).toMatch(/^24\.\d+\.\d+$/);
  });

  it('compile the Toxiproxy that the tag names', () => {
    const toxiproxy = IMAGES.find(({ folder }) => folder.endsWith('toxiproxy'));
    const version = toxiproxy?.tag.split(':')[1];
    expect(toxiproxy?.upstream).toContain(`:${version}`);
    expect(readFileSync(join(ROOT, 'containers/toxiproxy/go.mod'), 'utf8')).toContain(`github.com/Shopify/toxiproxy/v2 v${version}\n`);
  });
});

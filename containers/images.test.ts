import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadScenario } from '../harness/run/scenario.ts';
import { BASE_IMAGE, IMAGES, K6_IMAGE, NODE_VERSION } from './images.ts';

const ROOT = join(import.meta.dirname, '..');

describe('the images', () => {
  it('have a recipe each, and no two the same', () => {
    expect(new Set(IMAGES.map(({ recipe }) => recipe)).size).toBe(IMAGES.length);
    for (const { recipe } of IMAGES) expect(recipe).toMatch(/^[0-9a-f]{16}$/);
  });

  it('are made after the one that they stand on', () => {
    expect(IMAGES[0]?.tag).toBe(BASE_IMAGE);
    for (const [number, { folder, upstream }] of IMAGES.entries()) {
      if (number === 0) continue;
      for (const name of upstream === undefined ? ['Dockerfile'] : ['Dockerfile', 'Dockerfile.upstream']) {
        const below = /^FROM (aftershock\/\S+)$/m.exec(readFileSync(join(ROOT, folder, name), 'utf8'))?.[1];
        expect(IMAGES.slice(0, number).map(({ tag }) => tag)).toContain(below);
      }
    }
  });

  it('come without being asked for, but for those that only some scenarios need; the demo needs none of them', async () => {
    expect(IMAGES.filter(({ onDemand }) => onDemand).map(({ tag }) => tag)).toContain(K6_IMAGE);
    const { variants } = await loadScenario('slow-node');
    const used = Object.values(variants).flatMap(({ cluster }) => [
      cluster.tools.toxiproxyImage,
      cluster.tools.hand.image,
      ...cluster.nodes.map(({ image }) => image),
    ]);
    for (const tag of new Set(used)) expect(IMAGES.find((image) => image.tag === tag)).toMatchObject({ tag, recipe: expect.any(String) });
    expect(IMAGES.filter(({ tag, onDemand }) => onDemand && used.includes(tag))).toEqual([]);
  });

  it('have a Dockerfile for upstream exactly when they can be pulled from there', () => {
    for (const { folder, upstream } of IMAGES) expect(existsSync(join(ROOT, folder, 'Dockerfile.upstream'))).toBe(upstream !== undefined);
  });

  it('run clients under one exact version of Node', () => {
    expect(NODE_VERSION).toMatch(/^24\.\d+\.\d+$/);
  });

  it('compile the k6 that the tag names', () => {
    const version = K6_IMAGE.split(':')[1];
    expect(IMAGES.find(({ tag }) => tag === K6_IMAGE)?.upstream).toBe(`grafana/k6:${version}`);
    expect(readFileSync(join(ROOT, 'containers/k6/go.mod'), 'utf8')).toMatch(new RegExp(`^\\tgo\\.k6\\.io/k6 v${version}(?: // indirect)?$`, 'm'));
  });

  it('compile the Toxiproxy that the tag names', () => {
    const toxiproxy = IMAGES.find(({ folder }) => folder.endsWith('toxiproxy'));
    const version = toxiproxy?.tag.split(':')[1];
    expect(toxiproxy?.upstream).toContain(`:${version}`);
    expect(readFileSync(join(ROOT, 'containers/toxiproxy/go.mod'), 'utf8')).toContain(`github.com/Shopify/toxiproxy/v2 v${version}\n`);
  });
});

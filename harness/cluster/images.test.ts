import { describe, expect, it } from 'vitest';
import type { EngineAddress } from './engine-address.ts';
import { imageState, imageStates, ORIGIN_LABEL, RECIPE_LABEL } from './images.ts';

/** An engine that has one image. */
function engineWith(tag: string, labels: Record<string, string> | null): EngineAddress {
  return {
    url: 'unix:///nowhere',
    local: true,
    get: async (path) =>
      path === `/images/${tag}/json` ? { status: 200, body: { Id: 'sha256:1', Size: 5, Config: { Labels: labels } } } : { status: 404, body: {} },
  };
}

const wanted = { tag: 'aftershock/memcached:1.6', recipe: 'abc' };

describe('an image is', () => {
  it('ready when it was made by the recipe of today', async () => {
    const engine = engineWith(wanted.tag, { [RECIPE_LABEL]: 'abc', [ORIGIN_LABEL]: 'built from containers/memcached' });
    expect(await imageState(engine, wanted)).toEqual({
      tag: wanted.tag,
      state: 'ready',
      origin: 'built from containers/memcached',
      id: 'sha256:1',
      sizeBytes: 5,
    });
  });

  it('stale when it was made by another recipe, or by none', async () => {
    expect(await imageState(engineWith(wanted.tag, { [RECIPE_LABEL]: 'old' }), wanted)).toMatchObject({ state: 'stale' });
    expect(await imageState(engineWith(wanted.tag, null), wanted)).toMatchObject({ state: 'stale' });
  });

  it('missing when the engine does not know it', async () => {
    const engine = engineWith(wanted.tag, { [RECIPE_LABEL]: 'abc' });
    expect(await imageStates(engine, [wanted, { tag: 'aftershock/node:24', recipe: 'def' }])).toMatchObject([
      { state: 'ready' },
      { tag: 'aftershock/node:24', state: 'missing' },
    ]);
  });

  it('not judged when the engine answers neither yes nor no', async () => {
    const engine = { ...engineWith(wanted.tag, null), get: async () => ({ status: 500, body: 'out of order' }) };
    await expect(imageState(engine, wanted)).rejects.toMatchObject({ exitCode: 3, message: expect.stringContaining('answered 500') });
  });
});

import { describe, expect, it } from 'vitest';
import { aboutOneImage, registryOf } from './pull.ts';

describe('the registry of an image', () => {
  it.each([
    ['debian:bookworm-slim', 'docker.io'],
    ['grafana/k6:1.8.1', 'docker.io'],
    ['ghcr.io/shopify/toxiproxy:2.12.0', 'ghcr.io'],
    ['127.0.0.1:5000/mirror/aftershock/base:bookworm', '127.0.0.1:5000'],
    ['localhost/aftershock/base:bookworm', 'localhost'],
  ])('of %s is %s', (reference, registry) => {
    expect(registryOf(reference)).toBe(registry);
  });
});

describe('a refusal', () => {
  it('that is about one image leaves the registry worth another try', () => {
    expect(aboutOneImage('manifest for ghcr.io/shopify/toxiproxy:9 not found: manifest unknown')).toBe(true);
    expect(aboutOneImage('pull access denied for nobody/nothing, repository does not exist')).toBe(true);
  });

  it('that is about the way there does not', () => {
    expect(aboutOneImage('Get "https://ghcr.io/v2/": dial tcp: lookup ghcr.io on 10.0.0.1:53: no such host')).toBe(false);
    expect(aboutOneImage('dial tcp: lookup ghcr.io: host not found')).toBe(false);
    expect(aboutOneImage('it does not answer')).toBe(false);
  });
});

/**
 * The images that the clusters are made of, as data. `npm run setup` gets what an engine lacks of them: from the mirror that AFTERSHOCK_REGISTRY names,
 * from upstream, or built from the folder.
 *
 * memcached, twemproxy and HAProxy always come from Debian's packages, so that the same versions run everywhere; upstream has no image of twemproxy anyway.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WantedImage } from '../harness/cluster/images.ts';

export interface Image extends WantedImage {
  /** The folder with its `Dockerfile`, and with `Dockerfile.upstream` where it can be pulled. Relative to the project's root. */
  readonly folder: string;
  /** What `Dockerfile.upstream` starts from. */
  readonly upstream?: string;
  /** Rather built than pulled, where this machine has what that takes: what can be pulled lacks something of ours. */
  readonly ours?: boolean;
  /** Files of the folder that its Dockerfiles copy. */
  readonly files?: readonly string[];
  /** A file that `Dockerfile` copies and that is made on this machine first. */
  readonly part?: 'rootfs.tar' | 'toxiproxy' | 'node' | 'k6';
}

export const BASE_IMAGE = 'aftershock/base:bookworm';
export const MEMCACHED_IMAGE = 'aftershock/memcached:1.6';
export const TWEMPROXY_IMAGE = 'aftershock/twemproxy:0.5';
export const HAPROXY_IMAGE = 'aftershock/haproxy:2.6';
export const TOXIPROXY_IMAGE = 'aftershock/toxiproxy:2.12.0';
export const NODE_IMAGE = 'aftershock/node:24';
export const HAND_IMAGE = 'aftershock/hand:1';
export const TUN_IMAGE = 'aftershock/tun:1';
export const K6_IMAGE = 'aftershock/k6:1.8.1';
export const REDIS_IMAGE = 'aftershock/redis:7.0';

const ROOT = join(import.meta.dirname, '..');

const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { optionalDependencies: { node: string } };
/** Clients run the very version that the npm packages bring for this project: '24.21.0'. */
export const NODE_VERSION = optionalDependencies.node;

const base = image({ tag: BASE_IMAGE, folder: 'containers/base', upstream: 'debian:bookworm-slim', part: 'rootfs.tar' });

const node = image({ tag: NODE_IMAGE, folder: 'containers/node', upstream: `node:${NODE_VERSION}-bookworm-slim`, part: 'node' });

const hand = image({ tag: HAND_IMAGE, folder: 'containers/hand' }, node);

/** In the order in which they are made: each stands on one before it. */
export const IMAGES: readonly Image[] = [
  base,
  image({ tag: MEMCACHED_IMAGE, folder: 'containers/memcached' }),
  image({ tag: TWEMPROXY_IMAGE, folder: 'containers/twemproxy' }),
  image({ tag: HAPROXY_IMAGE, folder: 'containers/haproxy' }),
  image({
    tag: TOXIPROXY_IMAGE,
    folder: 'containers/toxiproxy',
    upstream: 'ghcr.io/shopify/toxiproxy:2.12.0',
    ours: true,
    files: ['supervisor.pl'],
    part: 'toxiproxy',
  }),
  node,
  hand,
  image({ tag: TUN_IMAGE, folder: 'containers/tun', files: ['wire.c'] }, hand),
  // A load program of ours starts k6 as its child, so Node is in it too. To compile k6 takes minutes: those who do not use it need not wait for it.
  image({ tag: K6_IMAGE, folder: 'containers/k6', upstream: 'grafana/k6:1.8.1', part: 'k6', onDemand: true }, node),
  image({ tag: REDIS_IMAGE, folder: 'containers/redis', onDemand: true }),
];

/** Adds the recipe: a fingerprint of the files and names that decide what is in the image, and of the image below it. */
function image(of: Omit<Image, 'recipe'>, below: Image | undefined = of.tag === BASE_IMAGE ? undefined : base): Image {
  const hash = createHash('sha256');
  for (const name of ['Dockerfile', 'Dockerfile.upstream', 'go.mod', 'go.sum', 'main.go', 'slow_share.go', 'mmdebstrap.json', ...(of.files ?? [])]) {
    const file = join(ROOT, of.folder, name);
    if (existsSync(file)) hash.update(`${name}\n`).update(readFileSync(file));
  }
  hash.update(`upstream ${of.upstream ?? 'none'}\nbelow ${below?.recipe ?? 'nothing'}\n`);
  return { ...of, recipe: hash.digest('hex').slice(0, 16) };
}

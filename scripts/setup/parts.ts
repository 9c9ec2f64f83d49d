/**
 * Makes what an image is built from and cannot be had from a Debian package: a root file system, Toxiproxy, Node, k6.
 * Everything is for the architecture of the engine, which need not be that of this machine.
 */
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { arch, platform } from 'node:os';
import { join } from 'node:path';
import { type Image, NODE_VERSION } from '../../containers/images.ts';
import { EnvironmentError } from '../../harness/core/errors.ts';
import { ROOT } from '../plain/progress.mjs';
import { command, which } from './commands.ts';
import { canInstall, installPackages } from './debian.ts';

export interface PartOptions {
  /** Where to lay the part: a temporary folder. */
  readonly into: string;
  /** 'amd64', 'arm64'. */
  readonly architecture: string;
  readonly log: number;
  readonly signal: AbortSignal;
}

/** Brings the program that a part is made with, so that its installation is a step of its own. Throws EnvironmentError when it cannot be had. */
export async function preparePart(image: Image): Promise<void> {
  const elsewhere = 'let the engine reach its registry, or name a mirror in AFTERSHOCK_REGISTRY';
  if (image.part === 'rootfs.tar' && which('mmdebstrap') === undefined) {
    if (!canInstall()) throw new EnvironmentError(`it takes Debian or Ubuntu, and root, to make ${image.tag} without a registry; ${elsewhere}`);
    await installPackages(['mmdebstrap', 'debian-archive-keyring'], `for ${image.tag}`);
  }
  const leastGo = image.part === 'toxiproxy' ? '1.23' : image.part === 'k6' ? '1.25' : undefined;
  if (leastGo !== undefined && go() === undefined) {
    throw new EnvironmentError(`it takes Go ${leastGo} or later (go.dev/dl) on the PATH to make ${image.tag} without a registry; install it, or ${elsewhere}`);
  }
}

/** Whether this machine has what it takes to make the part of an image without installing anything. */
export function canMake({ part }: Image): boolean {
  if (part === 'toxiproxy' || part === 'k6') return go() !== undefined;
  return part !== 'rootfs.tar' || which('mmdebstrap') !== undefined;
}

/** Makes the part of an image, under its name in the Dockerfile. Throws EnvironmentError. */
export async function makePart(part: NonNullable<Image['part']>, image: Image, options: PartOptions): Promise<void> {
  if (part === 'rootfs.tar') await makeRootFileSystem(image, options);
  else if (part === 'toxiproxy') await compileToxiproxy(image, options);
  else if (part === 'k6') await compile('k6', 'go.k6.io/k6', '-s -w', image, options);
  else await fetchNode(options);
}

async function makeRootFileSystem(image: Image, { into, architecture, log, signal }: PartOptions): Promise<void> {
  const settings = JSON.parse(readFileSync(join(ROOT, image.folder, 'mmdebstrap.json'), 'utf8')) as string[];
  await command('mmdebstrap', [`--architectures=${architecture}`, ...settings, join(into, 'rootfs.tar')], { log, signal });
}

async function compileToxiproxy(image: Image, options: PartOptions): Promise<void> {
  const module = 'github.com/Shopify/toxiproxy/v2';
  const version = image.tag.split(':')[1] ?? '';
  await compile('toxiproxy', '.', `-s -w -X ${module}.Version=${version}`, image, options);
}

/** A command of a Go module, at the version that the image's go.mod pins; '.' is the one in the image's own folder. */
async function compile(part: string, source: string, linkerFlags: string, image: Image, { into, architecture, log, signal }: PartOptions): Promise<void> {
  await command(go() ?? 'go', ['build', '-trimpath', '-buildvcs=false', '-ldflags', linkerFlags, '-o', join(into, part), source], {
    log,
    signal,
    cwd: join(ROOT, image.folder),
    env: { CGO_ENABLED: '0', GOOS: 'linux', GOARCH: architecture, GOFLAGS: '' },
  });
}

function go(): string | undefined {
  return which('go', ['/usr/local/go/bin']);
}

/** The binary that the npm packages brought where it fits the engine; otherwise the one of its npm package for Linux. */
async function fetchNode({ into, architecture, log, signal }: PartOptions): Promise<void> {
  const wanted = architecture === 'amd64' ? 'x64' : architecture;
  const installed = join(ROOT, 'node_modules/node/bin/node');
  if (platform() === 'linux' && arch() === wanted && existsSync(installed)) {
    copyFileSync(installed, join(into, 'node'));
    return;
  }
  const name = `node-linux-${wanted}`;
  await command('npm', ['pack', '--silent', '--pack-destination', into, `${name}@${NODE_VERSION}`], { log, signal, cwd: into });
  await command('tar', ['-xzf', join(into, `${name}-${NODE_VERSION}.tgz`), '-C', into, '--strip-components=2', 'package/bin/node'], { log, signal });
}

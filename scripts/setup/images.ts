/**
 * Brings images into the engine: from a mirror of ours, from upstream, or built here. Talks to the Engine API, so that Docker Desktop, Podman and remote
 * engines work alike.
 */
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Image } from '../../containers/images.ts';
import type { Engine } from '../../harness/cluster/engine.ts';
import { type ImageState, imageState, ORIGIN_LABEL, RECIPE_LABEL } from '../../harness/cluster/images.ts';
import { EnvironmentError, messageOf } from '../../harness/core/errors.ts';
import { LOG, ROOT, say, step } from '../plain/progress.mjs';
import { canMake, makePart, preparePart } from './parts.ts';
import { Puller } from './pull.ts';
import { followEngine } from './stream.ts';

/** Makes the engine have an image by each recipe. `states` says what it has now. Throws EnvironmentError on the first that cannot be had. */
export async function ensureImages(engine: Engine, images: readonly Image[], states: readonly ImageState[], signal: AbortSignal): Promise<void> {
  const puller = new Puller(engine.docker, signal);
  const outdated: string[] = [];
  for (const [i, image] of images.entries()) {
    const had = states[i];
    if (had?.state === 'ready') continue;
    const reasons: string[] = [];
    const got =
      (await fromMirror(engine, image, puller, reasons, signal)) ||
      (await ourOwn(engine, image, reasons, signal)) ||
      (await fromUpstream(engine, image, puller, reasons, signal));
    if (!got) await fromFolder(engine, image, reasons, signal);
    if (had?.id !== undefined) outdated.unshift(had.id);
  }
  for (const id of outdated) await removeOutdated(engine, id);
}

/** Takes an image that a mirror has under our name, unless it was made by another recipe. */
async function fromMirror(engine: Engine, image: Image, puller: Puller, reasons: string[], signal: AbortSignal): Promise<boolean> {
  const mirror = process.env['AFTERSHOCK_REGISTRY']?.replace(/\/+$/, '');
  if (!mirror) return false;
  const reference = `${mirror}/${image.tag}`;
  return pulled(engine, reference, puller, reasons, async (log) => {
    const recipe = await labelOf(engine, reference, RECIPE_LABEL);
    if (recipe !== undefined && recipe !== image.recipe) {
      reasons.push(`${reference} was made by another recipe`);
      return false;
    }
    await build(engine, image, { origin: `pulled from ${reference}`, dockerfile: `FROM ${reference}\n`, log, signal });
    return true;
  });
}

async function fromUpstream(engine: Engine, image: Image, puller: Puller, reasons: string[], signal: AbortSignal): Promise<boolean> {
  const reference = image.upstream;
  if (reference === undefined) return false;
  return pulled(engine, reference, puller, reasons, async (log) => {
    await build(engine, image, { origin: `pulled from ${reference}`, variant: 'Dockerfile.upstream', buildargs: { UPSTREAM: reference }, log, signal });
    return true;
  });
}

/** Pulls a reference, uses it, and takes its name away again if it was not there before. Answers whether it was used. */
async function pulled(engine: Engine, reference: string, puller: Puller, reasons: string[], use: (log: number) => Promise<boolean>): Promise<boolean> {
  const silence = puller.silence(reference);
  if (silence !== undefined) {
    reasons.push(silence);
    return false;
  }
  const before = await imageState(engine.address, { tag: reference, recipe: '' });
  let used = false;
  const known = reasons.length;
  await step(`pulling ${reference}`, async (log) => {
    const why = await puller.pull(reference, (line) => writeSync(log, `${line}\n`));
    if (why !== undefined) {
      reasons.push(why);
      return;
    }
    try {
      used = await use(log);
    } finally {
      if (before.state === 'missing') await engine.docker.getImage(reference).remove({ noprune: false });
    }
  });
  if (!used) say(reasons.slice(known).join('; '));
  return used;
}

/** Builds what is rather built than pulled. Where that fails it may still be pulled. */
async function ourOwn(engine: Engine, image: Image, reasons: string[], signal: AbortSignal): Promise<boolean> {
  if (!image.ours || !canMake(image)) return false;
  try {
    await fromFolder(engine, image, reasons, signal);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof EnvironmentError) || signal.aborted) throw thrown;
    reasons.push(thrown.message);
    return false;
  }
}

async function fromFolder(engine: Engine, image: Image, reasons: readonly string[], signal: AbortSignal): Promise<void> {
  const { part } = image;
  try {
    if (part !== undefined) await preparePart(image);
  } catch (thrown) {
    if (!(thrown instanceof EnvironmentError)) throw thrown;
    throw new EnvironmentError(`${image.tag} cannot be pulled (${reasons.join('; ')}), and ${thrown.message}`, { cause: thrown });
  }
  await step(`building ${image.tag}`, (log) =>
    build(engine, image, { origin: `built from ${image.folder}`, log, signal, ...(part === undefined ? {} : { part }) }),
  );
}

interface BuildOptions {
  readonly origin: string;
  readonly log: number;
  readonly signal: AbortSignal;
  /** Name of the Dockerfile in the image's folder; or its text. */
  readonly variant?: string;
  readonly dockerfile?: string;
  readonly buildargs?: Record<string, string>;
  readonly part?: NonNullable<Image['part']>;
}

/** Builds an image from a temporary folder that holds its Dockerfile and its part. */
async function build(engine: Engine, image: Image, options: BuildOptions): Promise<void> {
  const { log, signal } = options;
  const folder = mkdtempSync(join(tmpdir(), 'aftershock-build-'));
  try {
    if (options.dockerfile !== undefined) writeFileSync(join(folder, 'Dockerfile'), options.dockerfile);
    else copyFileSync(join(ROOT, image.folder, options.variant ?? 'Dockerfile'), join(folder, 'Dockerfile'));
    for (const file of image.files ?? []) copyFileSync(join(ROOT, image.folder, file), join(folder, file));
    if (options.part !== undefined) await makePart(options.part, image, { into: folder, architecture: engine.architecture, log, signal });
    const stream = await engine.docker.buildImage(
      // What a part was unpacked from is no part of the image.
      { context: folder, src: readdirSync(folder).filter((name) => !name.endsWith('.tgz')) },
      {
        t: image.tag,
        labels: { [ORIGIN_LABEL]: options.origin, [RECIPE_LABEL]: image.recipe },
        buildargs: { ...proxies(), ...options.buildargs },
        rm: true,
        forcerm: true,
        abortSignal: signal,
      },
    );
    await followEngine(stream, ({ stream: text }) => void (text === undefined ? 0 : writeSync(log, text)), signal);
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof EnvironmentError) throw thrown;
    throw new EnvironmentError(`${image.tag} could not be built (${messageOf(thrown)}); ${LOG} has what the engine said`, { cause: thrown });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  if ((await imageState(engine.address, image)).state !== 'ready') {
    throw new EnvironmentError(`${image.tag} was built and the engine does not have it; ${LOG} has what the engine said`);
  }
}

/** The proxies that this machine is told to use, for what a build downloads. One on our own loopback is out of a build's reach. */
function proxies(): Record<string, string> {
  const names = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] && !/localhost|127\.0\.0\.1/.test(process.env[name]) ? [[name, process.env[name]]] : [])),
  );
}

async function labelOf(engine: Engine, reference: string, label: string): Promise<string | undefined> {
  const { Config } = await engine.docker.getImage(reference).inspect();
  return Config.Labels?.[label];
}

/** Removes an image whose name a newer one has taken over, unless containers still use it. */
async function removeOutdated(engine: Engine, id: string): Promise<void> {
  try {
    await engine.docker.getImage(id).remove();
  } catch (thrown) {
    const { statusCode } = thrown as { statusCode?: number };
    // Gone already, or in use (a run that is going on, another image on top, another name): then it is not ours to remove.
    if (statusCode !== 404 && statusCode !== 409) throw thrown;
  }
}

/**
 * Which of the images that a cluster needs the engine has, where they came from, and whether they are out of date.
 */
import { EnvironmentError } from '../core/errors.ts';
import type { Engine } from './engine.ts';
import type { EngineAddress } from './engine-address.ts';

/** Says 'pulled from ghcr.io/...' or 'built from containers/memcached'. */
export const ORIGIN_LABEL = 'io.aftershock.origin';
/** Toxics of ours that a Toxiproxy has beside its own. */
export const TOXICS_LABEL = 'io.aftershock.toxics';
/** The recipe that the image was made by. */
export const RECIPE_LABEL = 'io.aftershock.recipe';

export interface WantedImage {
  /** 'aftershock/memcached:1.6' */
  readonly tag: string;
  /** Fingerprint of everything that decides what is in it: an image with another one is stale. */
  readonly recipe: string;
  /** Only some scenarios need it: a set-up brings it when it is asked for by its name. */
  readonly onDemand?: boolean;
}

export interface ImageState {
  readonly tag: string;
  readonly onDemand?: boolean;
  /** `stale`: there, and made by another recipe. */
  readonly state: 'ready' | 'stale' | 'missing';
  readonly origin?: string;
  /** 'sha256:...': which image the tag names now, for the record of a run. */
  readonly id?: string;
  readonly sizeBytes?: number;
}

/** 'aftershock/k6:1.8.1' to 'k6': what a set-up knows it by. */
export function shortName(tag: string): string {
  return (tag.split('/').at(-1) ?? tag).split(':')[0] as string;
}

/** Asks the engine for one image. Throws EnvironmentError when it answers neither yes nor no. */
export async function imageState(address: EngineAddress, wanted: WantedImage): Promise<ImageState> {
  const { status, body } = await address.get(`/images/${wanted.tag}/json`);
  const asked = { tag: wanted.tag, ...(wanted.onDemand ? { onDemand: true } : {}) };
  if (status === 404) return { ...asked, state: 'missing' };
  if (status !== 200) throw new EnvironmentError(`the container engine at ${address.url} answered ${status} when asked for the image ${wanted.tag}`);
  const { Id, Size, Config } = body as { Id: string; Size: number; Config: { Labels?: Record<string, string> | null } | null };
  const labels = Config?.Labels ?? {};
  const origin = labels[ORIGIN_LABEL];
  return {
    ...asked,
    state: labels[RECIPE_LABEL] === wanted.recipe ? 'ready' : 'stale',
    ...(origin === undefined ? {} : { origin }),
    id: Id,
    sizeBytes: Size,
  };
}

/** The states of several images, in their order. */
export function imageStates(address: EngineAddress, wanted: readonly WantedImage[]): Promise<ImageState[]> {
  return Promise.all(wanted.map((image) => imageState(address, image)));
}

/** What of ours an image of Toxiproxy has beside its own toxics. Throws EnvironmentError when it is not there. */
export async function toxicsOf({ docker }: Engine, tag: string): Promise<string[]> {
  const { Config } = await docker
    .getImage(tag)
    .inspect()
    .catch((thrown: unknown) => {
      throw new EnvironmentError(`image ${tag} is not there; 'npm run setup' makes it`, { cause: thrown });
    });
  return (Config.Labels?.[TOXICS_LABEL] ?? '').split(',');
}

/**
 * Pulls images, and gives up soon where no registry answers.
 */
import type { Docker } from '../../harness/cluster/engine.ts';
import { messageOf } from '../../harness/core/errors.ts';
import { type EngineEvent, followEngine } from './stream.ts';

/** All registries together may take this long to give a first answer: without a network, a set-up loses ten seconds and little more. */
const FIRST_ANSWERS_MS = 10_000;
/** And each of them at least this long, so that one that hangs does not take the others' chance. */
const FIRST_ANSWER_LEAST_MS = 2_000;
/** A pull that has begun may stand still for this long. */
const STALL_MS = 60_000;

/** 'ghcr.io/shopify/toxiproxy:2.12.0' to 'ghcr.io'; 'debian:bookworm-slim' to 'docker.io'. */
export function registryOf(reference: string): string {
  const first = reference.split('/')[0] ?? '';
  return reference.includes('/') && (/[.:]/.test(first) || first === 'localhost') ? first : 'docker.io';
}

/** Whether a registry's refusal is about the one image, so that it may well have the next. */
export function aboutOneImage(message: string): boolean {
  return (
    /manifest unknown|not found|no such image|does not exist|denied|unauthorized|no matching manifest/i.test(message) &&
    !/dial tcp|lookup|no such host/i.test(message)
  );
}

export class Puller {
  readonly #docker: Docker;
  readonly #signal: AbortSignal;
  /** Registries that did not answer, with why. */
  readonly #silent = new Map<string, string>();
  #leftMs = FIRST_ANSWERS_MS;

  constructor(docker: Docker, signal: AbortSignal) {
    this.#docker = docker;
    this.#signal = signal;
  }

  /** Why this image's registry is not worth another attempt; undefined while it may be. */
  silence(reference: string): string | undefined {
    return this.#silent.get(registryOf(reference));
  }

  /** Pulls one image. Answers undefined when the engine has it, else why not, in a few words. Throws only when the set-up was interrupted. */
  async pull(reference: string, log: (line: string) => void): Promise<string | undefined> {
    const host = registryOf(reference);
    const startedAt = performance.now();
    const patience = new AbortController();
    const either = AbortSignal.any([this.#signal, patience.signal]);
    let answered = false;
    let timer = setTimeout(() => patience.abort(new Error('it does not answer')), Math.max(this.#leftMs, FIRST_ANSWER_LEAST_MS));
    try {
      const stream = await this.#docker.pull(reference, { abortSignal: either });
      const note = (event: EngineEvent): void => {
        answered = true;
        clearTimeout(timer);
        timer = setTimeout(() => patience.abort(new Error(`it stood still for ${STALL_MS / 1_000} s`)), STALL_MS);
        if (event.status !== undefined && event.progress === undefined) log(`${event.id ?? ''} ${event.status}`.trim());
      };
      await followEngine(stream, note, either);
      return undefined;
    } catch (thrown) {
      this.#signal.throwIfAborted();
      const why = messageOf(patience.signal.aborted ? patience.signal.reason : thrown);
      log(`pull of ${reference}: ${why}`);
      if (aboutOneImage(why)) return `${host} has no ${reference}`;
      // 'Get "https://ghcr.io/v2/": dial tcp: lookup ghcr.io on 10.0.0.1:53: no such host': the last part says it, and the log has the rest.
      const silence = `${host} cannot be reached (${why.split(': ').at(-1)})`;
      this.#silent.set(host, silence);
      return silence;
    } finally {
      clearTimeout(timer);
      if (!answered) this.#leftMs -= performance.now() - startedAt;
    }
  }
}

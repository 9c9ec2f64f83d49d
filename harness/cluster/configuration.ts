/** The configuration of a node: the file in its container, what its program says to it, and what the running process tells of it itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { EnvironmentError } from '../core/errors.ts';
import { once } from '../core/once.ts';
import type { Hand } from './hand.ts';
import { fileIn, layFile, runIn } from './inside.ts';
import type { Life } from './life.ts';
import type { ConfigurationSpec } from './spec.ts';
import type { Configuration, Disturbance } from './types.ts';

export interface ConfigurationSurroundings {
  readonly name: string;
  readonly spec: ConfigurationSpec;
  readonly container: Dockerode.Container;
  readonly life: Pick<Life, 'kill' | 'restart' | 'state'>;
  /** On the run's network, now. */
  address(): string;
  hand(): Promise<Hand>;
  act<T>(action: string, effect: () => Promise<T>): Promise<T>;
}

/** Where a text lies to be looked at before it is pushed. */
const TRIAL_PATH = '/tmp/aftershock-configuration';
/** For a process to end in order before it is started with another file. */
const GRACE_MS = 1_000;
/** A program that takes its file is still there after so long; one that does not has ended within some milliseconds. */
const FALLS_WITHIN_MS = 1_500;
const LOOK_EVERY_MS = 50;
/** Until the engine has told of one death: the next one of the same node is another. */
const TOLD_WITHIN_MS = 300;
const SHOWN_LIMIT_MS = 2_000;

export function configurationOf({ name, spec, container, life, address, hand, act }: ConfigurationSurroundings): Configuration {
  const { path, reload, shows } = spec;
  const lay = (text: string) => act('lay a configuration into', () => layFile(container, path, text));
  const isReloadable = reload !== undefined;
  const take = async (): Promise<void> => {
    if (reload === undefined) await life.restart(GRACE_MS);
    else await act('reload', () => container.kill({ signal: reload }));
  };
  /** Starts it with a file that it does not take: it ends by itself, on our word. */
  const fall = async (text: string): Promise<Disturbance> => {
    const down = await life.kill();
    await container.wait();
    await sleep(TOLD_WITHIN_MS);
    await lay(text);
    await act('kill', () => container.start());
    const limit = performance.now() + FALLS_WITHIN_MS;
    while ((await life.state()).running && performance.now() < limit) await sleep(LOOK_EVERY_MS);
    return down;
  };
  return {
    isReloadable,
    read: () => fileIn(container, path),
    refuses: async (text) => {
      await layFile(container, TRIAL_PATH, text);
      const { code, said } = await runIn(
        container,
        spec.check.map((word) => word.replaceAll('${path}', TRIAL_PATH)),
      );
      return code === 0 ? undefined : (said.trim().split('\n').at(-1) ?? `exit ${code}`);
    },
    shown: async () => {
      if (!shows) return undefined;
      const { port, send, until, find } = shows;
      return (await (await hand()).exchange({ to: `${address()}:${port}`, send, until, find }, SHOWN_LIMIT_MS)).toSorted();
    },
    namedIn: (text) => (shows ? [...text.matchAll(new RegExp(shows.inFile, 'gm'))].map((match) => match[1] ?? match[0]).toSorted() : undefined),
    push: async (text, { comesUp }) => {
      const former = await fileIn(container, path);
      if (!comesUp) {
        const down = await fall(text);
        const undo = async () => {
          await lay(former);
          await down.undo();
        };
        return { undo: once(undo), missing: down.missing };
      }
      await lay(text);
      const undo = async () => {
        await lay(former);
        await take();
      };
      try {
        await take();
      } catch (thrown) {
        await undo();
        throw thrown;
      }
      const { startedAt } = await life.state();
      const missing = async () => {
        const now = await life.state();
        if (!now.running) return `${name} does not run any more`;
        if (now.startedAt !== startedAt) return `${name} was started again`;
        return (await fileIn(container, path)) === text ? undefined : `${path} of ${name} is another one`;
      };
      return { undo: once(undo), missing };
    },
  };
}

/** Throws EnvironmentError for a node whose builder has named none. */
export function configurationNamed(name: string, spec: ConfigurationSpec | undefined): ConfigurationSpec {
  if (!spec) throw new EnvironmentError(`node ${name} names no configuration, so nothing can be pushed to it`);
  return spec;
}

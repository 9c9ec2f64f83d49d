/**
 * The configuration of a node: the file in its container, what its program says to it, and what the running process tells of it itself. Another one is lent: the warden puts the former one back
 * when we die.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { EnvironmentError } from '../core/errors.ts';
import { once } from '../core/once.ts';
import type { Hand } from './hand.ts';
import { fileIn, layFile, layingStep, runIn } from './inside.ts';
import type { Life } from './life.ts';
import type { ConfigurationSpec } from './spec.ts';
import type { Configuration } from './types.ts';
import type { Step, Wardens } from './warden.ts';

export interface ConfigurationSurroundings {
  readonly name: string;
  readonly spec: ConfigurationSpec;
  readonly container: Dockerode.Container;
  readonly life: Pick<Life, 'kill' | 'restart' | 'state'>;
  /** On the run's network, now. */
  address(): string;
  hand(): Promise<Hand>;
  act<T>(action: string, effect: () => Promise<T>): Promise<T>;
  readonly wardens: Pick<Wardens, 'note'>;
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

export function configurationOf({ name, spec, container, life, address, hand, act, wardens }: ConfigurationSurroundings): Configuration {
  const { path, reload, shows } = spec;
  const lay = (text: string) => act('lay a configuration into', () => layFile(container, path, text));
  const isReloadable = reload !== undefined;
  const take = async (): Promise<void> => {
    if (reload === undefined) await life.restart(GRACE_MS);
    else await act('reload', () => container.kill({ signal: reload }));
  };
  /** How the warden puts a file back and has it taken. One whose process is to be another is killed, which a dead one does not mind, and started. */
  const backTo = (text: string, comesUp: boolean): Step[] => {
    const { id } = container;
    const signalled = (signal: string): Step => ({ method: 'POST', path: `/containers/${id}/kill?signal=${signal}` });
    const taken: Step[] = reload !== undefined && comesUp ? [signalled(reload)] : [signalled('SIGKILL'), { start: id, order: orderOf(address()) }];
    return [layingStep(id, path, text), ...taken];
  };
  /** Starts it with a file that it does not take: it ends by itself, on our word. */
  const fall = async (text: string): Promise<void> => {
    await container.wait();
    await sleep(TOLD_WITHIN_MS);
    await lay(text);
    await act('kill', () => container.start());
    const limit = performance.now() + FALLS_WITHIN_MS;
    while ((await life.state()).running && performance.now() < limit) await sleep(LOOK_EVERY_MS);
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
      const forget = await wardens.note(...backTo(former, comesUp));
      let have = take;
      const undo = once(async () => {
        await lay(former);
        await have();
        await forget();
      });
      const orUndo = async <T>(effect: () => Promise<T>): Promise<T> => {
        try {
          return await effect();
        } catch (thrown) {
          await undo();
          throw thrown;
        }
      };
      if (!comesUp) {
        const down = await orUndo(() => life.kill());
        have = down.undo;
        await orUndo(() => fall(text));
        return { undo, missing: down.missing };
      }
      await orUndo(async () => {
        await lay(text);
        await take();
      });
      const { startedAt } = await life.state();
      const missing = async () => {
        const now = await life.state();
        if (!now.running) return `${name} does not run any more`;
        if (now.startedAt !== startedAt) return `${name} was started again`;
        return (await fileIn(container, path)) === text ? undefined : `${path} of ${name} is another one`;
      };
      return { undo, missing };
    },
  };
}

/** Of an address, so that '172.20.0.9' comes before '172.20.0.10'. */
function orderOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** Throws EnvironmentError for a node whose builder has named none. */
export function configurationNamed(name: string, spec: ConfigurationSpec | undefined): ConfigurationSpec {
  if (!spec) throw new EnvironmentError(`node ${name} names no configuration, so nothing can be pushed to it`);
  return spec;
}

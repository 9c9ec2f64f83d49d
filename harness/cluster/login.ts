/** The login of a node that serves only who logs in: whether the right one is taken, and another password in its place, which the warden takes back when we die. */
import type Dockerode from 'dockerode';
import { EnvironmentError } from '../core/errors.ts';
import { once } from '../core/once.ts';
import type { Hand } from './hand.ts';
import { fileIn, layFile, layingStep, runIn } from './inside.ts';
import type { LoginSpec } from './spec.ts';
import type { Login } from './types.ts';
import type { Wardens } from './warden.ts';

export interface LoginSurroundings {
  readonly name: string;
  readonly spec: LoginSpec;
  readonly container: Dockerode.Container;
  /** Where it answers now, host:port. */
  to(): string;
  hand(): Promise<Hand>;
  act<T>(action: string, effect: () => Promise<T>): Promise<T>;
  readonly wardens: Pick<Wardens, 'note'>;
}

const LIMIT_MS = 2_000;

export function loginOf({ name, spec, container, to, hand, act, wardens }: LoginSurroundings): Login {
  const { path, apply, right } = spec;
  const set = (password: string) =>
    act('change the password of', async () => {
      await layFile(container, path, password);
      const { code, said } = await runIn(container, apply);
      if (code !== 0) throw new EnvironmentError(`${name} took no other password: ${said.trim().split('\n').at(-1) || `exit ${code}`}`);
    });
  return {
    accepts: async () => (await (await hand()).exchange({ to: to(), send: right.send, until: right.until, find: right.find }, LIMIT_MS)).length > 0,
    change: async (password) => {
      const former = await fileIn(container, path);
      const forget = await wardens.note(layingStep(container.id, path, former), { run: container.id, argv: apply });
      const undo = async () => {
        await set(former);
        await forget();
      };
      try {
        await set(password);
      } catch (thrown) {
        await undo();
        throw thrown;
      }
      return {
        undo: once(undo),
        missing: async () => ((await fileIn(container, path)) === password ? undefined : `the password of ${name} is another one`),
      };
    },
  };
}

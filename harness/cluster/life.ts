/**
 * What can be done to the life of a node: to its first process by the engine, from outside; to those under it by a hand inside their namespace. A death that is asked for is journalled as a
 * kill before it is, so that nobody takes it for a surprise.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { InvalidRunError } from '../core/errors.ts';
import { once } from '../core/once.ts';
import type { Hand } from './hand.ts';
import { firstOf, fits, noneFits, underFirst } from './processes.ts';
import type { Disturbance, Node, NodeState, Process } from './types.ts';

export interface LifeSurroundings {
  readonly name: string;
  readonly container: Dockerode.Container;
  /** Journals an action on this node around its effect. */
  act<T>(action: string, effect: () => Promise<T>): Promise<T>;
  /** The hand in its process namespace. */
  processHand(): Promise<Hand>;
  /** Called before its first process ends on our word. */
  leaving(): Promise<void>;
  /** Called when another first process of it has been started: its network namespace is new, and its address may be. */
  startedAgain(): Promise<void>;
}

export type Life = Pick<Node, 'kill' | 'stop' | 'restart' | 'pause' | 'suspend' | 'state' | 'processes'>;

export function lifeOf({ name, container, act, processHand, leaving, startedAgain }: LifeSurroundings): Life {
  /** The first process that everything beside the node has followed. */
  let followed: string | undefined;

  const state = async (): Promise<NodeState> => {
    const { State } = await container.inspect();
    return {
      running: State.Running && !State.Dead,
      paused: State.Paused,
      pid: State.Pid,
      startedAt: State.StartedAt,
      exitCode: State.ExitCode,
      // The engine keeps the word of an end until there is another one.
      outOfMemory: State.OOMKilled && !State.Running,
    };
  };
  /** The first process now, before it is told to end. */
  const leave = async (): Promise<string> => {
    await leaving();
    followed = identityOf(await state());
    return followed;
  };
  /** Its death was announced, and has not been followed by another start. */
  let doomed = false;
  const signal = (name: NodeJS.Signals) => {
    doomed = true;
    return act('kill', () => container.kill({ signal: name }));
  };
  /** Whoever has started it, what stands beside it has to follow it into its new namespace. */
  const startAgain = async (): Promise<void> => {
    const lives = identityOf(await state()) === followed;
    // A death that was announced and did not come is taken back, or it would pass for the next one, which nobody asked for.
    if (lives && doomed) await act('spare', async () => undefined);
    doomed = false;
    if (lives) return;
    await act('start again', async () => {
      await container.start().catch(unless(304));
      await startedAgain();
    });
    followed = identityOf(await state());
  };
  /** Waits until the process that was told to end has: by itself within its grace, or by force. */
  const seeOut = async (before: string, graceMs: number, hurry?: AbortSignal): Promise<void> => {
    const ended = container.wait();
    const timer = new AbortController();
    const over = sleep(graceMs, true, { signal: hurry ? AbortSignal.any([hurry, timer.signal]) : timer.signal }).catch(() => true);
    // One that ends in this very moment does not take the signal any more.
    if ((await Promise.race([ended, over])) === true && identityOf(await state()) === before) await signal('SIGKILL').catch(unless(409));
    await ended;
    timer.abort();
  };
  /** Why it is not down any more. */
  const notDown = (before: string) => async (): Promise<string | undefined> => {
    const now = await state();
    if (!now.running) return undefined;
    return identityOf(now) === before ? `${name} still runs, and it is the same process` : `${name} runs again`;
  };

  const processes = async (pattern?: string): Promise<Process[]> => {
    const all = await (await processHand()).processes();
    return pattern === undefined ? [firstOf(all)].filter((first) => first !== undefined) : underFirst(all).filter((process) => fits(process, pattern));
  };
  /** Throws InvalidRunError when there is none. */
  const wanted = async (pattern: string | undefined): Promise<Process[]> => {
    const found = await processes(pattern);
    if (found.length > 0 || pattern === undefined) return found;
    throw new InvalidRunError(noneFits(name, pattern, await processes(), await processes('*')));
  };

  return {
    state,
    processes,
    kill: async ({ signal: which = 'SIGKILL', process } = {}) => {
      if (process !== undefined) {
        const those = await wanted(process);
        const hand = await processHand();
        await act(`${which} to ${process}`, () => hand.signal(which, those));
        // What is dead stays dead, and whoever started it starts it again.
        return { undo: async () => undefined, missing: async () => undefined };
      }
      const before = await leave();
      await signal(which);
      return { undo: once(startAgain), missing: notDown(before) };
    },
    stop: async (graceMs) => {
      const before = await leave();
      await signal('SIGTERM');
      const hurry = new AbortController();
      const ended = seeOut(before, graceMs, hurry.signal);
      // It is waited for below; until then its failure is nobody's.
      ended.catch(() => undefined);
      const undo = async () => {
        hurry.abort();
        await ended;
        await startAgain();
      };
      return { undo: once(undo), missing: notDown(before) };
    },
    restart: async (graceMs) => {
      const before = await leave();
      await signal('SIGTERM');
      // Whatever becomes of its end, it is started again.
      await seeOut(before, graceMs).finally(startAgain);
      const after = followed;
      const missing = async () => {
        const now = await state();
        if (!now.running) return `${name} does not run any more`;
        return identityOf(now) === after ? undefined : `${name} was started again once more`;
      };
      return { undo: once(startAgain), missing };
    },
    pause: async () => {
      await act('pause', () => container.pause());
      const resume = () =>
        act('resume', () =>
          container.unpause().catch(async (thrown: unknown) => {
            // Somebody else has, or it does not run any more.
            if ((await state()).paused) throw thrown;
          }),
        );
      return { undo: once(resume), missing: async () => ((await state()).paused ? undefined : `${name} is not frozen any more`) };
    },
    suspend: async ({ process } = {}): Promise<Disturbance> => {
      const those = await wanted(process);
      const hand = await processHand();
      const stopped = async () => {
        const now = await hand.processes();
        return those.filter((one) => now.some((other) => sameProcess(one, other) && other.state === 'T'));
      };
      return act('suspend', async () => {
        const giveBack = await hand.lendContinue(`suspend ${process ?? 'first'}`, those, process !== undefined);
        if (process === undefined) await container.kill({ signal: 'SIGSTOP' });
        const resume = () =>
          act('resume', () =>
            giveBack().catch(async (thrown: unknown) => {
              // The node or its process has ended, and there is nothing to go on; or the hand has, and a first process can be told from outside.
              if (!(await state()).running) return;
              if (process === undefined) await container.kill({ signal: 'SIGCONT' });
              else if ((await stopped()).length > 0) throw thrown;
            }),
          );
        return {
          undo: once(resume),
          missing: async () => ((await stopped()).length === those.length ? undefined : `${process ?? 'the first process'} of ${name} is not stopped any more`),
        };
      });
    },
  };
}

/** Empty for one that does not run. */
function identityOf({ running, pid, startedAt }: NodeState): string {
  return running ? `${pid} ${startedAt}` : '';
}

function sameProcess(one: Process, other: Process): boolean {
  return one.pid === other.pid && one.startTicks === other.startTicks;
}

/** For what the engine says is so already: 304 when it runs, 409 when it does not. */
function unless(status: number): (thrown: unknown) => void {
  return (thrown) => {
    if ((thrown as { statusCode?: number }).statusCode !== status) throw thrown;
  };
}

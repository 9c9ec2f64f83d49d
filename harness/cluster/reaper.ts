/**
 * Our end of the reaper, the container that cleans up after us when we die. It is started before anything else of a run, hears from us every two seconds, and leaves when we say that all is
 * done. What it does then is in `containers/reaper`; the program is handed in by the cluster's spec.
 */
import { EnvironmentError, messageOf } from '../core/errors.ts';
import { beat, type Channel, openChannel } from './channel.ts';
import { startContainer } from './container.ts';
import type { Engine } from './engine.ts';
import { reaperOf, runLabels } from './labels.ts';
import { HAND_MEMORY_MIB, type ToolProgram } from './spec.ts';

export interface ReaperOptions {
  readonly engine: Engine;
  readonly runId: string;
  readonly tool: ToolProgram;
  /** What is removed when we die, as 'key=value'. */
  readonly label: string;
  /** Instead of removing it, puts it back as it is now. */
  readonly keeps?: boolean;
}

/** How often it hears from us, and for how long it bears our silence: five words lost in a row. */
const BEAT_MS = 2_000;
const SILENCE_MS = 10_000;
/** As long as a cluster may take: the first container after a machine's start reads all of its image from the disk, and once took more than five seconds. */
const READY_WITHIN_MS = 20_000;
const LEAVE_WITHIN_MS = 5_000;

export class Reaper {
  readonly #channel: Channel;
  readonly #remove: () => Promise<void>;
  readonly #beating: NodeJS.Timeout;

  /** Throws EnvironmentError when it cannot be started, and when it does not reach the engine. */
  static async start({ engine, runId, tool, label, keeps = false }: ReaperOptions): Promise<Reaper> {
    const name = `aftershock-${runId}-reaper`;
    const spec = { name: 'reaper', image: tool.image, command: ['sleep', 'infinity'], sources: tool.sources, memoryMiB: HAND_MEMORY_MIB };
    // A run of its own to whoever looks by label: what removes the run does not remove its reaper.
    const placement = { name, labels: runLabels(reaperOf(runId)), network: 'none', bind: `${engine.socket}:/var/run/docker.sock`, capabilities: [] };
    const { id } = await startContainer(spec, placement);
    const remove = async () => {
      await engine.docker
        .getContainer(id)
        .remove({ force: true })
        .catch((thrown: unknown) => {
          const status = (thrown as { statusCode?: number }).statusCode;
          if (status !== 404 && status !== 409) throw thrown;
        });
    };
    try {
      const channel = await openChannel(engine.docker, id, ['node', `/aftershock/${tool.program}`]);
      const ready = new Promise<void>((resolve, reject) => {
        channel.onMessage((message) => {
          if (message['ready'] === true) resolve();
          else if ('trouble' in message)
            reject(new EnvironmentError(`the reaper does not reach the engine by ${engine.socket}: ${String(message['trouble'])}`));
        });
        void channel.ended.then(({ code, stderr }) => reject(new EnvironmentError(`the reaper ended by itself (exit ${code}): ${stderr}`)));
      });
      channel.send({ label, silenceMs: SILENCE_MS, keeps });
      await within(READY_WITHIN_MS, ready, 'did not become ready');
      return new Reaper(channel, remove);
    } catch (thrown) {
      await remove();
      if (thrown instanceof EnvironmentError) throw thrown;
      throw new EnvironmentError(`the reaper could not be started: ${messageOf(thrown)}`, { cause: thrown });
    }
  }

  private constructor(channel: Channel, remove: () => Promise<void>) {
    this.#channel = channel;
    this.#remove = remove;
    // What has no reader any more says so by itself, in `channel.ended`; a run without its reaper goes on, and its leases with it.
    let isOver = false;
    void channel.ended.then(() => {
      isOver = true;
      clearInterval(this.#beating);
    });
    this.#beating = setInterval(() => {
      if (!isOver) beat(channel);
    }, BEAT_MS);
    this.#beating.unref();
  }

  /** One that keeps puts back what stands now, and not what it saw at its start. Throws EnvironmentError when it cannot look, or is gone. */
  async lookAgain(): Promise<void> {
    this.#channel.send({ do: 'look' });
    const looked = new Promise<void>((resolve, reject) => {
      this.#channel.onMessage((message) => {
        if (message['looked'] === true) resolve();
        else if ('trouble' in message) reject(new EnvironmentError(`the reaper does not see the cluster: ${String(message['trouble'])}`));
      });
      void this.#channel.ended.then(({ code, stderr }) => reject(new EnvironmentError(`the reaper ended by itself (exit ${code}): ${stderr}`)));
    });
    await within(READY_WITHIN_MS, looked, 'did not look');
  }

  /** It leaves, and everything else stays as it is. Waits until it has gone; one that has gone before is fine. Throws CleanUpError when its container stays. */
  async dismiss(): Promise<void> {
    clearInterval(this.#beating);
    try {
      this.#channel.send({ do: 'bye' });
    } catch (thrown) {
      // It was killed while the run went on, which did not need it.
      if (!(thrown instanceof EnvironmentError)) throw thrown;
    }
    // One that does not leave by itself is removed all the same.
    await within(LEAVE_WITHIN_MS, this.#channel.ended, 'did not leave').catch(() => undefined);
    await this.#remove();
  }
}

async function within<T>(limitMs: number, promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new EnvironmentError(`the reaper ${what} within ${limitMs / 1_000} s`)), limitMs);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

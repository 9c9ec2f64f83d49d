/** What the engine itself tells of a run's containers: written to the journal, and the first to know that a node died or that the engine is gone. */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Engine } from '../cluster/engine.ts';
import { NODE_LABEL, RUN_LABEL } from '../cluster/labels.ts';

export interface EngineEvent {
  readonly action: string;
  readonly node: string;
  /** The engine's own clock, ms since 1970. */
  readonly engineMs: number;
  readonly exitCode?: string;
}

/** The actions that tell of a node's life; others (exec, attach, copy) are our own business. */
const ACTIONS = ['start', 'die', 'kill', 'oom', 'pause', 'unpause', 'restart', 'destroy'];

/** Follows the engine's events of one run. `lost` is called once when the engine stops telling. */
export async function watchEngine(engine: Engine, runId: string, onEvent: (event: EngineEvent) => void, lost: () => void): Promise<{ close(): void }> {
  const stream = (await engine.docker.getEvents({ filters: { label: [`${RUN_LABEL}=${runId}`], type: ['container'], event: ACTIONS } })) as Readable;
  let closed = false;
  const over = () => {
    if (!closed) lost();
    closed = true;
  };
  stream.once('end', over);
  stream.once('error', over);
  stream.once('close', over);
  const lines = createInterface({ input: stream });
  // The interface tells its stream's errors again as its own.
  lines.once('error', over);
  lines.on('line', (line) => {
    const { Action, Actor, timeNano } = JSON.parse(line) as { Action: string; Actor: { Attributes: Record<string, string> }; timeNano: number };
    const exitCode = Actor.Attributes['exitCode'];
    onEvent({ action: Action, node: Actor.Attributes[NODE_LABEL] ?? '', engineMs: timeNano / 1e6, ...(exitCode === undefined ? {} : { exitCode }) });
  });
  return {
    close: () => {
      closed = true;
      stream.destroy();
    },
  };
}

/** What ends a run whose engine is gone. */
export const ENGINE_GONE = 'the container engine stopped answering in the middle of the run';

/** Whether the engine still answers: when it does not, everything else that failed in this moment failed for that reason. */
export async function engineAnswers(engine: Engine): Promise<boolean> {
  try {
    return (await engine.address.get('/_ping')).status === 200;
  } catch {
    // However it does not answer, it does not answer.
    return false;
  }
}

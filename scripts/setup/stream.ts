/**
 * Reads what the engine tells while it pulls or builds: lines of JSON.
 */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

export interface EngineEvent {
  /** A line of a build. */
  readonly stream?: string;
  /** Of a pull: what is happening, and to which layer. */
  readonly status?: string;
  readonly id?: string;
  /** There while a layer is downloaded, many times a second. */
  readonly progress?: string;
  readonly error?: string;
}

/** Hands each event to `onEvent` until the stream ends. Throws what the engine reports as an error, and the signal's reason when that fires. */
export async function followEngine(stream: NodeJS.ReadableStream, onEvent: (event: EngineEvent) => void, signal: AbortSignal): Promise<void> {
  const stop = (): void => {
    (stream as Readable).destroy(signal.reason as Error);
  };
  signal.throwIfAborted();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const line of createInterface({ input: stream })) {
      if (line.trim() === '') continue;
      const event = JSON.parse(line) as EngineEvent;
      if (event.error !== undefined) throw new Error(event.error);
      onEvent(event);
    }
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

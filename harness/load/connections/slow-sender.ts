/**
 * Slow senders: each request comes a few bytes at a time, and the far end has to keep what it has of it. After each answer the next one begins. The first
 * bytes are sent as soon as it is connected, so a request of 20 bytes, one each 100 ms, is whole after 1.9 s.
 */
import { type Behaviour, type Opening, opening } from './behaviour.ts';
import type { Connection } from './connection.ts';

export interface SlowSenderOptions extends Opening {
  /** Bytes at a time, 1 or more, and how long after each other, ms. */
  readonly bytes: number;
  readonly everyMs: number;
}

export function slowSender({ bytes, everyMs, ...options }: SlowSenderOptions): Behaviour {
  const step = (connection: Connection, nowMs: number) => {
    if (connection.sendSome(bytes)) connection.stepAt(nowMs + everyMs);
  };
  return {
    ...opening(options),
    connected: (connection, nowMs) => {
      connection.prepareRequest();
      step(connection, nowMs);
    },
    answered: (connection, nowMs) => {
      connection.prepareRequest();
      connection.stepAt(nowMs + everyMs);
    },
    step,
  };
}

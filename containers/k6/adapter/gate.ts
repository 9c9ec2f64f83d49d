/**
 * Holds k6 back until the load's time zero is known: k6 takes a while to make its VUs, so it is started before, and the `setup` of the
 * wrapper asks here for the moment to begin.
 */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Gate {
  readonly url: string;
  /** Resolves when k6 has made its VUs and asks. */
  readonly asked: Promise<void>;
  /** Lets it begin at this moment of the wall clock, ms. */
  open(startWallMs: number): void;
  close(): void;
}

export async function openGate(): Promise<Gate> {
  const asked = Promise.withResolvers<void>();
  let waiting: ServerResponse | undefined;
  const server = createServer((_, response) => {
    waiting = response;
    asked.resolve();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    asked: asked.promise,
    open: (startWallMs) => {
      waiting?.end(String(Math.round(startWallMs)));
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/**
 * Datagrams that somebody counts on the way (by a rule of the kernel's where they arrive), so that the share that is lost is known. They go at an even pace, since a burst would be lost in a
 * queue and not by the fault.
 */
import { createSocket } from 'node:dgram';

const PER_SECOND = 40_000;
const EVERY_MS = 1;
const LENGTH = 40;

export interface Datagrams {
  readonly host: string;
  readonly port: number;
  /** The port that they come from; any, when left out. */
  readonly fromPort?: number;
  /** 0 to 2^32 - 1. */
  readonly mark: number;
  readonly count: number;
}

/** Resolves when the last is with the kernel. Rejects when the port cannot be had. */
export async function sendDatagrams({ host, port, fromPort = 0, mark, count }: Datagrams): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(fromPort, () => {
      socket.off('error', reject);
      resolve();
    });
  });
  // A refusal by the far end, where nobody listens, is no concern of ours.
  socket.on('error', () => undefined);
  const bytes = Buffer.alloc(LENGTH);
  // What they are told by, at their very beginning.
  bytes.writeUInt32BE(mark, 0);
  const beganAt = performance.now();
  for (let sent = 0; sent < count; ) {
    const due = Math.min(count, Math.ceil(((performance.now() - beganAt + EVERY_MS) * PER_SECOND) / 1_000));
    for (; sent < due; sent++) socket.send(bytes, port, host);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  await new Promise<void>((resolve) => socket.close(resolve));
}

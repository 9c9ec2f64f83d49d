/** A load of connections as a program runs it: what it needs of the far end is stored first, then the engine opens connections while the kernel's own count of them is read beside it. */
import { monotonicMs } from '../../core/clock.ts';
import { EnvironmentError } from '../../core/errors.ts';
import type { Random } from '../../core/random.ts';
import type { Load, Prepared } from '../program.ts';
import type { Protocol } from '../protocol.ts';
import { byPublicMeans, chooseWires, type WireAddress, type Wires } from '../wires/handle.ts';
import { ConnectionEngine, type ConnectionEngineOptions } from './engine.ts';
import { LocalPorts } from './local-ports.ts';
import { OwnSockets } from './own-sockets.ts';

export interface ConnectionLoad
  extends Pick<
    ConnectionEngineOptions,
    'address' | 'protocol' | 'operation' | 'drawKey' | 'behaviour' | 'tenant' | 'timeoutMs' | 'deadlineMs' | 'holdMs' | 'closeBy'
  > {
  /** For where named local ports begin. */
  readonly random: Random;
  /** Carried out once on each of the keys 0 to `keys` - 1 before the load; left out where what is asked for need not be there. */
  readonly fill?: Fill;
}

export interface Fill {
  readonly operation: number;
  readonly keys: number;
  /** Default 10 s. */
  readonly withinMs?: number;
}

/** A cluster that has just started may refuse for a moment. */
const REST_MS = 50;

export function connectionLoad({ fill, random, ...load }: ConnectionLoad): Load {
  return {
    prepare: async (): Promise<Prepared> => {
      const wires = await chooseWires();
      if (fill) await store(wires, load.address, load.protocol, fill);
      const sockets = await OwnSockets.open(load.address);
      const ports = LocalPorts.ofThisKernel(random.next());
      let engine: ConnectionEngine | undefined;
      return {
        connections: 0,
        start: (zeroMs, forMs, tell) => {
          if (wires.why !== undefined) tell.finding('note', byPublicMeans(wires.why));
          engine = new ConnectionEngine({
            ...load,
            ...(ports ? { ports } : {}),
            wires,
            zeroMs,
            forMs,
            onReport: tell.report,
            onGauges: tell.gauges,
            onDone: tell.done,
            onShortOf: (code, open) => tell.fail(shortage(code, open, load)),
          });
          engine.start();
          if (typeof sockets === 'string') tell.finding('note', `this end's sockets are not counted by state: ${sockets}`);
          else sockets.start((gauges, clockMs) => tell.gauges(clockMs - zeroMs, gauges));
        },
        stop: () => engine?.stop(),
        close: () => {
          if (typeof sockets !== 'string') sockets.close();
          engine?.close();
        },
      };
    },
  };
}

/** Why this machine opens no further connection, and what helps. */
export function shortage(code: string, open: number, { address, closeBy }: Pick<ConnectionLoad, 'address' | 'closeBy'>): string {
  const to = `${address.host}:${address.port}`;
  const at = `with ${open} connection${open === 1 ? '' : 's'} open or opening, the client's own side could open no further one to ${to} (${code})`;
  if (code === 'EADDRNOTAVAIL') {
    const hint = closeBy === 'fin' ? ", or closeBy: 'reset', which keeps no port" : '';
    return `${at}: every local port towards it is in use, and one that this end has closed stays so for 60 s; fewer connections, a lower rate, more client nodes${hint}`;
  }
  if (code === 'EMFILE') return `${at}: its process has as many open files as it may; fewer connections, or a higher limit (ulimit -n)`;
  return `${at}: its machine has no more of what a connection needs; fewer connections`;
}

/** Throws EnvironmentError when not every key could be stored in time. */
async function store(wires: Wires, address: WireAddress, protocol: Protocol, { operation, keys, withinMs = 10_000 }: Fill): Promise<void> {
  const endMs = monotonicMs() + withinMs;
  for (let key = 0; key < keys; ) {
    const trouble = await askOnce(wires, address, protocol, operation, key, endMs);
    if (trouble === undefined) {
      key++;
      continue;
    }
    if (monotonicMs() + REST_MS >= endMs)
      throw new EnvironmentError(
        `the load could not store its keys: after ${withinMs / 1_000} s, ${key} of ${keys} were stored at ${address.host}:${address.port} (last trouble: ${trouble})`,
      );
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
  }
}

/** One request on a connection of its own; answers with what went wrong. */
function askOnce(wires: Wires, address: WireAddress, protocol: Protocol, operation: number, key: number, untilMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const settle = (trouble?: string) => {
      clearTimeout(timer);
      wire.close();
      resolve(trouble);
    };
    const timer = setTimeout(() => settle('no answer'), untilMs - monotonicMs());
    const conversation = protocol.converse();
    let isLogin = protocol.opening !== undefined;
    const ask = () => {
      const out = Buffer.allocUnsafe(protocol.longestRequestBytes);
      const end = isLogin ? conversation.ask(out, 0, protocol.opening as number, 0) : conversation.ask(out, 0, operation, key);
      wire.write(out.subarray(0, end));
    };
    const wire = wires.open(address, {
      connected: ask,
      heard: (bytes, length) => {
        if (isLogin) conversation.hear(bytes, 0, length, protocol.opening as number, 0);
        else conversation.hear(bytes, 0, length, operation, key);
        const { answer } = conversation;
        if (answer === undefined) return;
        if (answer === 'server' || answer === 'garbled') {
          settle(answer);
        } else if (isLogin) {
          isLogin = false;
          ask();
        } else {
          settle();
        }
      },
      ended: () => settle('closed'),
      drained: () => undefined,
      failed: settle,
    });
  });
}

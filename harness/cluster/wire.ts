/**
 * Wires: devices of our own in a node's network namespace that packets are led through, and flights, which tell what becomes of packets on their way.
 */
import { EnvironmentError } from '../core/errors.ts';
import type { NetworkHand } from './types.ts';

/** What is needed to lead packets through something, in the order in which it is done. Taken back in the opposite one. */
export interface WireScript {
  /** A program that has to run meanwhile: its arguments. It says a line when it is ready and ends when its stdin ends. When it ends by itself, the whole is taken back at once. */
  readonly program?: readonly string[];
  /** Commands that make what the kernel itself does, and those that remove it, each as arguments. */
  readonly make?: readonly (readonly string[])[];
  readonly remove?: readonly (readonly string[])[];
  /** Rules of nftables that lead packets there, as for `lend`. */
  readonly begin: string;
  readonly renew: string;
  readonly end: string;
}

/** Changes a network namespace, and may put devices there. */
export interface WireHand extends NetworkHand, Flights {
  /** Leads packets through a wire that ends when we die. The answer takes it back; calling it again does nothing more. Throws EnvironmentError, with nothing left, in the tool's own words. */
  lay(name: string, script: WireScript): Promise<() => Promise<void>>;
  /** What one of the kernel's tools says. Throws EnvironmentError with its own words when it fails. */
  run(argv: readonly string[]): Promise<string>;
}

/** Numbered, stamped datagrams. */
export interface Flights {
  /** Sends so many at an even pace; resolves when the last is on its way. */
  fly(flight: Flight): Promise<void>;
  /** Takes in those that bear this mark from now on, at this port or at any free one. Throws EnvironmentError when somebody else takes datagrams there. */
  expect(mark: number, port?: number): Promise<Landing>;
}

export interface Flight {
  readonly host: string;
  readonly port: number;
  /** Any, when left out. */
  readonly fromPort?: number;
  /** 0 to 2^32 - 1. */
  readonly mark: number;
  readonly count: number;
  readonly perSecond: number;
}

export interface Landing {
  readonly port: number;
  /** What has come until now. */
  landed(): Promise<Landed>;
  close(): Promise<void>;
}

export interface Landed {
  /** All that came, and how many of them bore a number that had not come yet. */
  readonly count: number;
  readonly distinct: number;
  /** The numbers of those that came after one that was sent later. */
  readonly overtaken: readonly number[];
  /** Datagrams that the kernel there threw away because their checksum was wrong. */
  readonly damaged: number;
  /** How long each of the distinct ones was under way, ms, in the order in which they were sent. */
  readonly underWayMs: readonly number[];
  /** Of those that were overtaken, in the order of `overtaken`. */
  readonly overtakenMs: readonly number[];
}

/** Sends an order to a hand and waits for its answer. */
type Order = (order: object, limitMs: number) => Promise<Record<string, unknown>>;

const LIMIT_MS = 10_000;

export async function fly(order: Order, flight: Flight): Promise<void> {
  await order({ do: 'flight', flight: { fly: flight } }, LIMIT_MS + (flight.count / flight.perSecond) * 1_000);
}

export async function expectFlight(order: Order, mark: number, at?: number): Promise<Landing> {
  const { port } = await order({ do: 'flight', flight: { expect: mark, ...(at !== undefined && { port: at }) } }, LIMIT_MS);
  return {
    port: port as number,
    landed: async () => (await order({ do: 'flight', flight: { landed: mark } }, LIMIT_MS))['landed'] as Landed,
    close: async () => {
      await order({ do: 'flight', flight: { close: mark } }, LIMIT_MS);
    },
  };
}

export async function run(order: Order, argv: readonly string[]): Promise<string> {
  const { result } = (await order({ do: 'tool', call: { argv } }, LIMIT_MS)) as { result: { code: number; out: string; err: string } };
  if (result.code !== 0) throw new EnvironmentError(`${argv.slice(0, 2).join(' ')}: ${result.err.trim().split('\n')[0] || `exit ${result.code}`}`);
  return result.out;
}

/** What a hand is told, as a loan (`containers/hand/loans.ts`). */
export function wireTerms(
  name: string,
  { program, make = [], remove = [], begin, renew, end }: WireScript,
): { begin: object; loan: { renew: object; end: object } } {
  const nft = (input: string) => ({ argv: ['nft', '-f', '-'], input });
  const tools = (all: readonly (readonly string[])[]) => all.map((argv) => ({ argv }));
  return {
    begin: { inTurn: [...(program ? [{ program: name, argv: program }] : []), ...tools(make), nft(begin + renew)] },
    loan: { renew: nft(renew), end: { inTurn: [nft(end), ...(program ? [{ endProgram: name }] : []), ...tools(remove)], goOn: true } },
  };
}

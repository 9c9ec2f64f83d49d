/**
 * What the proofs of faults share: probers opened and asked together, what is normal, and waiting until a
 * proof holds.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Disturbance, Node, NodeState, Prober } from '../cluster/types.ts';
import { InvalidRunError } from '../core/errors.ts';
import type { Proof } from '../timeline/types.ts';
import type { Injected } from './fault.ts';

/** A proof that does not hold by then does not hold: ten seconds is longer than any probe's patience but a paused laptop's. */
const PROOF_LIMIT_MS = 10_000;
const BETWEEN_TRIES_MS = 20;
/** A healthy exchange takes under 10 ms here even on a busy machine: 300 ms without an answer is silence. */
export const PATIENCE_MS = 300;
const BASELINE_PATIENCE_MS = 2_000;
const BASELINE_ASKS = 5;

/** What an exchange costs without the fault, ms. */
export interface Baseline {
  readonly medianMs: number;
  readonly maxMs: number;
}

export interface Probers {
  /** One exchange on the kept and one on a new connection of each prober, all at once. */
  askAll(patienceMs: number): Promise<Answer[]>;
  close(): Promise<void>;
}

/** Opens a prober for each target: links (through the link) or nodes (past every link). */
export async function openProbers(targets: readonly { prober(): Promise<Prober> }[]): Promise<Probers> {
  const probers = await Promise.all(targets.map((target) => target.prober()));
  return {
    askAll: async (patienceMs) => (await Promise.all(probers.flatMap((prober) => [prober.ask('kept', patienceMs), prober.ask('new', patienceMs)]))).flat(),
    close: async () => {
      await Promise.all(probers.map((prober) => prober.close()));
    },
  };
}

/** Asks a few times; throws InvalidRunError when the far end does not answer before the fault, for then nothing could be proven. */
export async function baselineOf(probers: Probers): Promise<Baseline> {
  const all: number[] = [];
  for (let ask = 0; ask < BASELINE_ASKS; ask++) {
    const answers = await probers.askAll(BASELINE_PATIENCE_MS);
    const dead = answers.find((answer) => answer.kind !== 'answered');
    if (dead) throw new InvalidRunError(`a probe was ${dead.kind} before the fault, so the fault could not be told from it`);
    all.push(...answeredMs(answers));
  }
  return { medianMs: median(all), maxMs: Math.max(...all) };
}

/** The times of those that were answered, ms. */
export function answeredMs(answers: readonly Answer[]): number[] {
  return answers.filter((answer) => answer.kind === 'answered').map((answer) => answer.ms);
}

/**
 * Back to normal: all answered, and each within three times the baseline, or 20 ms where that is more. A probe on two busy cores
 * can wait a scheduling slice or two (4 ms each), so a tighter band would call a healed link sick; and each, because one link that is still ill
 * must not hide among others that are well.
 */
export function asBefore(answers: readonly Answer[], baseline: Baseline): boolean {
  const ms = answeredMs(answers);
  return ms.length === answers.length && ms.every((one) => one <= Math.max(20, baseline.medianMs * 3, baseline.maxMs));
}

/** Asks the probes, and the engine for the state of the nodes, at once. */
export async function lookAt(nodes: readonly Node[], probers: Probers, patienceMs: number): Promise<{ answers: Answer[]; states: NodeState[] }> {
  const [answers, states] = await Promise.all([probers.askAll(patienceMs), Promise.all(nodes.map((node) => node.state()))]);
  return { answers, states };
}

/** The middle one; not a number when there is none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

export function proof(holds: boolean, asked: string, measured: string): Proof {
  return { holds, asked, measured };
}

/** How many answers there were of each kind: '4 silent', '3 refused, 1 answered'. */
export function tally(answers: readonly Answer[]): string {
  const counts = Map.groupBy(answers, (answer) => answer.kind);
  return [...counts].map(([kind, those]) => `${those.length} ${kind}`).join(', ') || 'no probe';
}

/** Looks again and again until the proof holds; the last one, which does not, when the time is over. */
export async function until(look: () => Promise<Proof>, limitMs = PROOF_LIMIT_MS, pauses: 'short' | 'as long as looks' = 'short'): Promise<Proof> {
  const limit = performance.now() + limitMs;
  for (;;) {
    const beganAt = performance.now();
    const seen = await look();
    if (seen.holds || performance.now() >= limit) return seen;
    await sleep(pauses === 'short' ? BETWEEN_TRIES_MS : Math.max(BETWEEN_TRIES_MS, performance.now() - beganAt));
  }
}

/**
 * Does something to every target. The whole has one way back, which can be taken again without harm and goes on when one part of it fails. When an act fails, the others are taken back
 * before its failure is thrown.
 */
export async function onAll(acts: readonly (() => Promise<Disturbance>)[]): Promise<Pick<Injected, 'heal' | 'missing'>> {
  const outcomes = await Promise.allSettled(acts.map((act) => act()));
  const done = outcomes.filter((outcome) => outcome.status === 'fulfilled').map((outcome) => outcome.value);
  let healing: Promise<void> | undefined;
  const heal = () => {
    healing ??= healAll(done);
    return healing;
  };
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (!failed) return { heal, missing: async () => (await Promise.all(done.map((one) => one.missing()))).find((why) => why !== undefined) };
  await heal();
  throw failed.reason;
}

async function healAll(done: readonly Disturbance[]): Promise<void> {
  const outcomes = await Promise.allSettled(done.map((one) => one.undo()));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}

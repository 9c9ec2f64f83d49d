/** `aftershock fault NAME --on TARGET --for 10s`: one fault on a cluster that was left standing, proven, healed, and proven to be gone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { attachCluster } from '../cluster/attach.ts';
import { connectEngine } from '../cluster/engine.ts';
import { keptClusters } from '../cluster/remains.ts';
import type { ClusterSpec } from '../cluster/spec.ts';
import type { Cluster } from '../cluster/types.ts';
import { CleanUpError, EXIT, type ExitCode, InputError, messageOf } from '../core/errors.ts';
import { formatMs, milliseconds } from '../core/units.ts';
import type { Injected } from '../faults/fault.ts';
import { counted } from '../report/words.ts';
import { unlessAborted } from '../run/abort.ts';
import { exitCodeOf } from '../run/execute.ts';
import { refuseLacking } from '../run/preflight.ts';
import { schedule } from '../run/schedule.ts';
import type { PlannedStep } from '../run/types.ts';
import type { Proof } from '../timeline/types.ts';
import { type FaultWords, readFaultWords } from './fault-words.ts';
import { listenForInterrupts } from './interrupts.ts';
import { chosenCluster } from './kept.ts';

/** What became of it, for whoever reads JSON. */
interface Told {
  readonly cluster: string;
  readonly title: string;
  readonly targets: readonly string[];
  inForceMs?: number;
  bitten?: Proof & { readonly afterMs: number };
  gone?: Proof & { readonly afterMs: number };
  /** Why it was over before its time, or could not be proven. */
  trouble?: string;
}

/** More targets than this are counted and not named. */
const MOST_TOLD = 6;
const LOOK_EVERY_MS = 500;
/** As in a run: who cannot tell for so long cannot say that it was there. */
const MOST_UNKNOWN_MS = 3_000;

export async function faultCommand(args: readonly string[]): Promise<ExitCode> {
  const words = readFaultWords(args);
  if (typeof words === 'string') {
    process.stdout.write(words);
    return EXIT.asExpected;
  }
  const engine = await connectEngine();
  const kept = await keptClusters(engine);
  const id = chosenCluster([...kept.keys()], words.cluster, '--cluster');
  const spec = kept.get(id) as ClusterSpec;
  const step = planned(words, spec);
  await refuseLacking([words.fault], engine, spec.tools);

  const say = (text: string) => (words.json ? process.stderr : process.stdout).write(`${text}\n`);
  const interrupts = listenForInterrupts((text) => process.stderr.write(`  ${text}\n`), {
    first: 'healing at once',
    second: 'healed without waiting for its proof',
  });
  const told: Told = { cluster: id, title: step.title, targets: step.targets };
  try {
    say(`${step.title}, for ${formatMs(milliseconds(words.lasts))}, on cluster ${id}${targetWords(step)}`);
    const cluster = await attachCluster(engine, id, (text) => say(`  ${text}`));
    try {
      await inflict(words, cluster, told, interrupts, say);
    } finally {
      await cluster.detach();
    }
  } finally {
    interrupts.close();
  }
  if (words.json) process.stdout.write(`${JSON.stringify(told, null, 2)}\n`);
  if (told.trouble !== undefined) process.stderr.write(`aftershock: ${step.title}: ${told.trouble}\n`);
  if (interrupts.signal.aborted) return exitCodeOf(interrupts.signal.reason);
  return told.trouble === undefined && told.bitten?.holds && told.gone?.holds ? EXIT.asExpected : EXIT.invalidRun;
}

/** As a scenario's only step, so that everything is checked that is checked there. Throws InputError naming the flag. */
function planned({ fault, lasts }: FaultWords, spec: ClusterSpec): PlannedStep {
  try {
    const [step] = schedule([{ at: '1s', for: lasts, fault }], spec, milliseconds(lasts) + 1_000, 0);
    return step as PlannedStep;
  } catch (thrown) {
    if (!(thrown instanceof InputError)) throw thrown;
    const text = thrown.message.replace(/^steps\[0\]\.for/, '--for').replace(/^steps\[0\]\.fault(\.\w+)?/, '--on');
    throw new InputError(text, { cause: thrown });
  }
}

/** What a pattern stands for. */
function targetWords({ title, targets }: PlannedStep): string {
  if (targets.length === 1 && title.includes(targets[0] as string)) return '';
  return targets.length <= MOST_TOLD ? `: ${targets.join(', ')}` : `: ${counted(targets.length)} targets`;
}

type Stops = Pick<ReturnType<typeof listenForInterrupts>, 'signal' | 'skipTearDown'>;

/** From its baseline to the proof that it is gone. Whatever happens in between, it is healed. Throws CleanUpError when it cannot be. */
async function inflict({ kind, fault, lasts }: FaultWords, cluster: Cluster, told: Told, stops: Stops, say: (text: string) => void): Promise<void> {
  await kind.ready?.(fault, cluster);
  const prepared = await kind.prepare(fault, cluster);
  try {
    if (stops.signal.aborted) return;
    const injected = await prepared.inject();
    const injectedAt = performance.now();
    try {
      await proveAndHold(injected, injectedAt + milliseconds(lasts), told, stops.signal, say);
    } finally {
      told.inForceMs = Math.round(performance.now() - injectedAt);
      await healed(injected, told.cluster);
    }
    const healedAt = performance.now();
    const proof = await unlessSkipped(injected.proveHealed(), stops);
    if (!proof) return;
    told.gone = { ...proof, afterMs: Math.round(performance.now() - healedAt) };
    say(lineOf('healed', told.gone));
    if (!proof.holds) told.trouble ??= 'it was not seen to end';
  } finally {
    await prepared.close();
  }
}

async function proveAndHold(injected: Injected, untilMs: number, told: Told, signal: AbortSignal, say: (text: string) => void): Promise<void> {
  const from = performance.now();
  try {
    const proof = await unlessAborted(injected.prove(), signal);
    told.bitten = { ...proof, afterMs: Math.round(performance.now() - from) };
    say(lineOf('in force', told.bitten));
    const trouble = proof.holds ? await hold(injected, untilMs, signal) : 'it was not seen to bite';
    if (trouble !== undefined) told.trouble = trouble;
  } catch (thrown) {
    if (!signal.aborted) told.trouble = messageOf(thrown);
  }
}

/** Until its time is over; answers with why it was over before. */
async function hold(injected: Injected, untilMs: number, signal: AbortSignal): Promise<string | undefined> {
  for (let known = performance.now(); ; ) {
    const leftMs = untilMs - performance.now();
    if (leftMs <= 0) return undefined;
    await sleep(Math.min(LOOK_EVERY_MS, leftMs), undefined, { signal });
    try {
      const why = await unlessAborted(injected.missing(), signal);
      if (why !== undefined) return performance.now() < untilMs ? `it was lost before its time: ${why}` : undefined;
      known = performance.now();
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      if (performance.now() - known > MOST_UNKNOWN_MS) return `nobody could tell whether it was in force: ${messageOf(thrown)}`;
    }
  }
}

async function healed(injected: Injected, cluster: string): Promise<void> {
  try {
    await injected.heal();
  } catch (thrown) {
    throw new CleanUpError(
      `it could not be healed (${messageOf(thrown)}); it ends by itself within 10 s, and 'npx aftershock down ${cluster}' removes the cluster`,
      {
        cause: thrown,
      },
    );
  }
}

/** The proof, or nothing when somebody will not wait for it. */
async function unlessSkipped(proof: Promise<Proof>, stops: Stops): Promise<Proof | undefined> {
  let over = false;
  const skipped = (async () => {
    while (!over && !stops.skipTearDown()) await sleep(LOOK_EVERY_MS / 5);
    return undefined;
  })();
  try {
    return await Promise.race([proof, skipped]);
  } finally {
    over = true;
  }
}

/** '  in force  proven after 1.02 s: asked each answer 1 s later, saw answers after 1 s, 0.4 ms before' */
function lineOf(what: string, { holds, asked, measured, afterMs }: Proof & { readonly afterMs: number }): string {
  return `  ${what.padEnd(8)}  ${holds ? 'proven' : 'NOT proven'} after ${formatMs(afterMs)}: asked ${asked}, saw ${measured}`;
}

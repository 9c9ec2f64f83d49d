/**
 * `aftershock clean`: removes what dead runs left on the engine, by label. Runs that are still going on, and clusters that were left standing on purpose, are left alone.
 */
import { connectEngine } from '../cluster/engine.ts';
import { describeRemains, findRemains, type RunRemains, removeRemains } from '../cluster/remains.ts';
import { CleanUpError, EXIT, type ExitCode } from '../core/errors.ts';

export interface CleanFlags {
  readonly dryRun?: boolean;
  /** Whatever is ours, in use or not. */
  readonly all?: boolean;
}

/** Answers with `EXIT.cleanUpIncomplete` when something stayed, which is told on stderr, and 0 otherwise. */
export async function clean(flags: CleanFlags): Promise<ExitCode> {
  const engine = await connectEngine();
  const { going, said } = chosen(await findRemains(engine), flags);
  let exit: ExitCode = EXIT.asExpected;
  for (const run of going) {
    process.stdout.write(`${flags.dryRun ? 'would remove' : 'removing'} ${describeRemains(run)}\n`);
    if (flags.dryRun) continue;
    try {
      await removeRemains(engine, run.runId);
    } catch (thrown) {
      if (!(thrown instanceof CleanUpError)) throw thrown;
      process.stderr.write(`aftershock: ${thrown.message}\n`);
      exit = thrown.exitCode;
    }
  }
  for (const line of said) process.stdout.write(`${line}\n`);
  return exit;
}

/** Which of them go, and what is said of the others, a line each. Pure. */
export function chosen(runs: readonly RunRemains[], { all }: CleanFlags): { readonly going: readonly RunRemains[]; readonly said: readonly string[] } {
  const going = runs.filter(({ alive, kept }) => all || (!alive && !kept));
  const left = runs.filter((run) => !going.includes(run));
  const standing = left.filter(({ kept }) => kept).length;
  const alive = left.length - standing;
  const said = going.length === 0 ? ['nothing to clean'] : [];
  if (standing > 0)
    said.push(
      standing === 1
        ? "1 cluster stands on purpose and is left alone; 'npx aftershock down' removes it"
        : `${standing} clusters stand on purpose and are left alone; 'npx aftershock down --all' removes them`,
    );
  if (alive > 0) said.push(`${alive} ${alive === 1 ? 'run is' : 'runs are'} still going on and left alone; '--all' removes ${alive === 1 ? 'it' : 'them'} too`);
  return { going, said };
}

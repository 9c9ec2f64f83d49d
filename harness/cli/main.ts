/** The command line: `aftershock <command>`. Each command is a file beside this one. */
import { Command, CommanderError } from 'commander';
import { AftershockError, EXIT, type ExitCode, messageOf } from '../core/errors.ts';
import { DEFAULT_OUT } from '../run/results.ts';
import { type CleanFlags, clean } from './clean.ts';
import type { DownFlags } from './down.ts';
import { type ExportFlags, exportCommand, interval } from './export.ts';
import { stopRun } from './interrupts.ts';
import { list } from './list.ts';
import { collect, seed, tag, wholeNumber } from './options.ts';
import { planCommand } from './plan.ts';
import { recheck, report } from './recheck.ts';
import { type RunFlags, runCommand } from './run.ts';
import type { UpFlags } from './up.ts';

let exitCode: ExitCode = EXIT.asExpected;
const program = new Command('aftershock')
  .description('Chaos and load tests for cache and proxy tiers, with recovery as a promise.')
  .option('--verbose', 'show stack traces')
  .showSuggestionAfterError()
  .configureOutput({ writeErr: () => undefined })
  .exitOverride();

program
  .command('run')
  .description('run scenarios and judge them')
  .argument('[scenario...]', 'ids (see list) or paths of scenario files')
  .option('--variant <name>', 'a variant; may be given several times (default: the reported one)', collect)
  .option('--seed <n>', 'seed of every random choice (default: a new one, shown)', seed)
  .option('--repeat <n>', 'runs of each variant, with successive seeds', wholeNumber('--repeat', 1, 1_000), 1)
  .option('--keep-on-failure', 'leave the cluster standing when a run was not as expected')
  .option('--json', 'print the reports as JSON')
  .option('--out <dir>', 'where results go', DEFAULT_OUT)
  .option('--tag <name>', 'a word to find the result by; may be given several times', tag)
  .option('--all', 'every scenario, every variant')
  .action(async (scenarios: string[], flags: RunFlags) => {
    exitCode = await runCommand(scenarios, flags);
  });

program
  .command('list')
  .description('list scenarios and their variants')
  .option('--json', 'as JSON')
  .action((flags: { json?: boolean }) => list(flags));

program
  .command('plan')
  .description('show what would run, when, and what it needs; starts nothing')
  .argument('<scenario>', 'an id (see list) or the path of a scenario file')
  .option('--variant <name>', 'a variant (default: the reported one)')
  .option('--seed <n>', 'seed of every random choice (default: 0)', seed)
  .option('--json', 'as JSON')
  .action((scenario: string, flags) => planCommand(scenario, flags));

program
  .command('up')
  .description("start a scenario's cluster and leave it standing")
  .argument('<scenario>', 'an id (see list) or the path of a scenario file')
  .option('--variant <name>', 'a variant (default: the reported one)')
  .option('--json', 'as JSON')
  .action(async (scenario: string, flags: UpFlags) => {
    const { upCommand } = await import('./up.ts');
    await upCommand(scenario, flags);
  });

program
  .command('fault')
  .description("put one fault in force on a cluster that stands, and take it back ('fault --help' lists all)")
  .argument('[words...]', '<name> --on <target> --for <duration> [--cluster <id>] [its own flags]')
  .helpOption(false)
  .allowUnknownOption()
  .action(async (words: string[]) => {
    const { faultCommand } = await import('./fault.ts');
    exitCode = await faultCommand(words);
  });

program
  .command('down')
  .description('remove a cluster that was left standing')
  .argument('[id]', 'its id, or the beginning of it; may be left out where only one stands')
  .option('--all', 'every one that stands')
  .action(async (id: string | undefined, flags: DownFlags) => {
    const { downCommand } = await import('./down.ts');
    await downCommand(id, flags);
  });

program
  .command('doctor')
  .description('say whether this machine can run scenarios, and what it lacks')
  .option('--json', 'as JSON')
  .action(async (flags: { json?: boolean }) => {
    const { doctorCommand } = await import('./doctor.ts');
    exitCode = await doctorCommand(flags);
  });

program
  .command('recheck')
  .description('judge a saved run again, from its files alone')
  .argument('<result-dir>', 'a folder under results/, or results/last')
  .option('--json', 'as JSON')
  .action(async (folder: string, flags: { json?: boolean }) => {
    exitCode = await recheck(folder, flags);
  });

program
  .command('report')
  .description("write a saved run's report anew")
  .argument('<result-dir>', 'a folder under results/, or results/last')
  .option('--json', 'as JSON')
  .action(async (folder: string, flags: { json?: boolean }) => {
    exitCode = await report(folder, flags);
  });

program
  .command('export')
  .description("write a saved run's latencies for other tools")
  .argument('<result-dir>', 'a folder under results/, or results/last')
  .requiredOption('--hlog <file>', 'write an HdrHistogram log, for HistogramLogAnalyzer and its kin')
  .option('--interval <duration>', 'length of an interval of the log, a multiple of 100ms (default: 100ms)', interval)
  .action((folder: string, flags: ExportFlags) => exportCommand(folder, flags));

program
  .command('clean')
  .description('remove what dead runs left on the engine')
  .option('--dry-run', 'only say what would be removed')
  .option('--all', 'also runs that are still going on, and clusters that were left standing')
  .action(async (flags: CleanFlags) => {
    exitCode = await clean(flags);
  });

// Whoever read our output may be gone (`| head`, a closed terminal): a run goes on to its end without it, and takes its cluster down.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

// What nobody caught is a mistake of ours: a run that is under way is stopped in order; where none can be, a cluster may be left standing.
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (thrown: unknown) => {
    const code = complain(thrown);
    if (stopRun(new AftershockError(messageOf(thrown), code))) return;
    process.stderr.write(`aftershock: a cluster may be left standing; 'npx aftershock clean' removes it\n`);
    process.exit(code);
  });
}

try {
  await program.parseAsync();
} catch (thrown) {
  exitCode = complain(thrown);
}
process.exit(exitCode);

/** One line on stderr; the stack only when asked for. */
function complain(thrown: unknown): ExitCode {
  if (thrown instanceof CommanderError) {
    if (thrown.exitCode === 0) return EXIT.asExpected;
    const command = process.argv[2] === undefined ? program : program.commands.find((one) => one.name() === process.argv[2]);
    if (thrown.code === 'commander.help') process.stderr.write(program.helpInformation());
    else process.stderr.write(`aftershock: ${thrown.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ')}; ${allowed(command)}\n`);
    return EXIT.badInput;
  }
  process.stderr.write(`aftershock: ${messageOf(thrown)}\n`);
  if (process.argv.includes('--verbose') && thrown instanceof Error) process.stderr.write(`${thrown.stack ?? ''}\n`);
  if (!(thrown instanceof AftershockError)) {
    process.stderr.write(`aftershock: this is a mistake in aftershock itself; '--verbose' shows where\n`);
    return EXIT.internal;
  }
  return thrown.exitCode;
}

function allowed(command: Command | undefined): string {
  if (!command || command === program) return `commands: ${program.commands.map((one) => one.name()).join(', ')}`;
  return `flags of ${command.name()}: ${command.options.map((option) => option.long).join(', ') || 'none'}`;
}

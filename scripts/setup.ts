/**
 * Makes the engine and the images ready. Run by `scripts/bootstrap.mjs`, which has installed the npm packages.
 *
 *   --check   changes nothing, says what is missing, ends with exit code 3 when anything is
 *   --quiet   says nothing when nothing is to be done
 *
 * With nothing to do it loads no package: finding the engine and asking for its images takes a few milliseconds.
 */
import { IMAGES } from '../containers/images.ts';
import { connectEngine, engineFacts } from '../harness/cluster/engine.ts';
import { type EngineAddress, findEngine } from '../harness/cluster/engine-address.ts';
import { imageStates } from '../harness/cluster/images.ts';
import { AftershockError, EXIT, type ExitCode, messageOf } from '../harness/core/errors.ts';
import { say } from './plain/progress.mjs';
import { engineAdvice, ensureEngine } from './setup/engine.ts';
import { ensureImages } from './setup/images.ts';

const interrupt = new AbortController();
let interruptedBy: ExitCode | undefined;
for (const [signal, code] of [
  ['SIGINT', EXIT.interrupted],
  ['SIGTERM', EXIT.terminated],
  ['SIGHUP', EXIT.terminated],
] as const) {
  process.on(signal, () => {
    if (interruptedBy === undefined) say('interrupted; ending what is under way');
    interruptedBy ??= code;
    interrupt.abort(new Error('interrupted'));
  });
}

async function setUp(quiet: boolean): Promise<ExitCode> {
  const startedAt = performance.now();
  const address = await ensureEngine(interrupt.signal);
  const states = await imageStates(address, IMAGES);
  const idle = states.every(({ state }) => state === 'ready');
  if (!idle) await ensureImages(await connectEngine(), IMAGES, states, interrupt.signal);
  if (!quiet || !idle) await sayReady(address, startedAt);
  return EXIT.asExpected;
}

async function sayReady(address: EngineAddress, startedAt: number): Promise<void> {
  const { name, version } = await engineFacts(address);
  say(`ready: ${name} ${version}, ${IMAGES.length} images (${((performance.now() - startedAt) / 1_000).toFixed(1)} s)`);
}

async function check(quiet: boolean): Promise<ExitCode> {
  const startedAt = performance.now();
  const address = await findEngine();
  if (address === undefined) {
    say(`missing: a container engine; ${engineAdvice()}`);
    return EXIT.environment;
  }
  const lacking = (await imageStates(address, IMAGES)).filter(({ state }) => state !== 'ready');
  for (const { tag, state } of lacking) say(`${state === 'stale' ? 'out of date' : 'missing'}: the image ${tag}; type: AFTERSHOCK_SETUP=auto npm run setup`);
  if (lacking.length > 0) return EXIT.environment;
  if (!quiet) await sayReady(address, startedAt);
  return EXIT.asExpected;
}

try {
  const quiet = process.argv.includes('--quiet');
  process.exitCode = await (process.argv.includes('--check') ? check(quiet) : setUp(quiet));
} catch (thrown) {
  if (interruptedBy !== undefined) {
    process.exitCode = interruptedBy;
  } else {
    say(messageOf(thrown));
    process.exitCode = thrown instanceof AftershockError ? thrown.exitCode : EXIT.internal;
  }
}

/**
 * Makes the engine and the images ready. Run by `scripts/bootstrap.mjs`, which has installed the npm packages.
 *
 *   k6        a name: an image that only some scenarios need, besides those that all need; 'all' for every one
 *   --check   changes nothing, says what is missing, ends with exit code 3 when anything is
 *   --quiet   says nothing when nothing is to be done
 *
 * With nothing to do it loads no package: finding the engine and asking for its images takes a few milliseconds.
 */
import { IMAGES, type Image } from '../containers/images.ts';
import { connectEngine, engineFacts } from '../harness/cluster/engine.ts';
import { type EngineAddress, findEngine } from '../harness/cluster/engine-address.ts';
import { imageStates, shortName } from '../harness/cluster/images.ts';
import { AftershockError, EXIT, type ExitCode, messageOf, unknownName } from '../harness/core/errors.ts';
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

/** The images that everything needs, and those that are asked for by name. Throws InputError for a name that there is not. */
function wantedImages(names: readonly string[]): readonly Image[] {
  const known = IMAGES.map(({ tag }) => shortName(tag));
  const unknown = names.find((name) => name !== 'all' && !known.includes(name));
  if (unknown !== undefined) throw unknownName('image', unknown, [...known, 'all']);
  return IMAGES.filter(({ tag, onDemand }) => !onDemand || names.includes('all') || names.includes(shortName(tag)));
}

async function setUp(images: readonly Image[], quiet: boolean): Promise<ExitCode> {
  const startedAt = performance.now();
  const address = await ensureEngine(interrupt.signal);
  const states = await imageStates(address, images);
  const idle = states.every(({ state }) => state === 'ready');
  if (!idle) await ensureImages(await connectEngine(), images, states, interrupt.signal);
  if (!quiet || !idle) await sayReady(address, images, startedAt);
  return EXIT.asExpected;
}

async function sayReady(address: EngineAddress, images: readonly Image[], startedAt: number): Promise<void> {
  const { name, version } = await engineFacts(address);
  const rest = IMAGES.filter((image) => !images.includes(image)).map(({ tag }) => shortName(tag));
  const others = rest.length === 0 ? '' : `; only some scenarios need ${rest.join(', ')}: npm run setup -- ${rest.join(' ')}`;
  say(`ready: ${name} ${version}, ${images.length} images (${((performance.now() - startedAt) / 1_000).toFixed(1)} s)${others}`);
}

async function check(images: readonly Image[], quiet: boolean): Promise<ExitCode> {
  const startedAt = performance.now();
  const address = await findEngine();
  if (address === undefined) {
    say(`missing: a container engine; ${engineAdvice()}`);
    return EXIT.environment;
  }
  const lacking = (await imageStates(address, images)).filter(({ state }) => state !== 'ready');
  for (const { tag, state, onDemand } of lacking)
    say(
      `${state === 'stale' ? 'out of date' : 'missing'}: the image ${tag}; type: AFTERSHOCK_SETUP=auto npm run setup${onDemand ? ` -- ${shortName(tag)}` : ''}`,
    );
  if (lacking.length > 0) return EXIT.environment;
  if (!quiet) await sayReady(address, images, startedAt);
  return EXIT.asExpected;
}

try {
  const quiet = process.argv.includes('--quiet');
  const images = wantedImages(process.argv.slice(2).filter((word) => !word.startsWith('--')));
  process.exitCode = await (process.argv.includes('--check') ? check(images, quiet) : setUp(images, quiet));
} catch (thrown) {
  if (interruptedBy !== undefined) {
    process.exitCode = interruptedBy;
  } else {
    say(messageOf(thrown));
    process.exitCode = thrown instanceof AftershockError ? thrown.exitCode : EXIT.internal;
  }
}

/** `aftershock doctor`: whether this machine and its engine can run scenarios, what they lack, and what to type. Changes nothing: the one container that it looks from is gone when it ends. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { connectEngine, type Engine } from '../cluster/engine.ts';
import { type ImageState, imageStates, shortName, type WantedImage } from '../cluster/images.ts';
import { lookInside } from '../cluster/look.ts';
import { findRemains, heldIn, type RunRemains } from '../cluster/remains.ts';
import { EnvironmentError, EXIT, type ExitCode, messageOf } from '../core/errors.ts';
import { catalogue } from '../faults/catalogue.ts';
import { painter, table, takesColour } from '../report/table.ts';
import { type EngineRoom, roomOf } from '../run/budget.ts';

/** `ok`: as it should be. `note`: runs work, and this may matter. `lacking`: runs cannot start. */
export type CheckStatus = 'ok' | 'note' | 'lacking';

export interface Check {
  readonly name: string;
  readonly status: CheckStatus;
  readonly text: string;
}

export interface DoctorOptions {
  readonly json?: boolean;
  /** The images that runs need. */
  readonly images: readonly WantedImage[];
}

/** A fault, and why it cannot be injected here; undefined where it can. */
export interface Availability {
  readonly fault: string;
  readonly family: string;
  readonly lacks: string | undefined;
}

/** What a run has on the engine, and names of what a fault of it still holds though nobody of it lives. */
type Remains = RunRemains & { readonly held: readonly string[] };

/** What the engine and a container on it were seen to have. */
export interface Seen {
  readonly engine: Engine;
  readonly images: readonly ImageState[];
  readonly room: EngineRoom;
  readonly remains: readonly Remains[];
  /** Undefined when there is no image to look from. */
  readonly inside: { readonly descriptors: number; readonly sameKernel: boolean } | undefined;
}

const SIGNS = { ok: '✓ ok', note: '! note', lacking: '✕ lacking' } as const;
const COLOURS = { ok: ['green'], note: ['yellow'], lacking: ['red', 'bold'] } as const;

/** A HAProxy hop takes two descriptors for each connection: below this, a flood of 2,000 connections does not fit through one. */
const FEW_DESCRIPTORS = 4_096;

/** The command: reads the image list that lies beside the harness, which does not import it. */
export async function doctorCommand(flags: { readonly json?: boolean }): Promise<ExitCode> {
  const list = join(import.meta.dirname, '../../containers/images.ts');
  const { IMAGES } = (await import(pathToFileURL(list).href)) as { IMAGES: readonly WantedImage[] };
  return doctor({ ...flags, images: IMAGES });
}

/** Prints a table, or JSON: `{ usable, checks: [{ name, status, text }], faults: [{ fault, family, available, lacks }] }`. Answers exit code 0 when runs can start, 3 when not. */
export async function doctor(options: DoctorOptions): Promise<ExitCode> {
  const { checks: ofEngine, faults } = await engineChecks(options.images);
  const checks = [nodeCheck(), ...ofEngine, ...faultChecks(faults)];
  const usable = checks.every(({ status }) => status !== 'lacking');
  const available = faults.map(({ lacks, ...fault }) => ({ ...fault, available: lacks === undefined, ...(lacks === undefined ? {} : { lacks }) }));
  if (options.json) process.stdout.write(`${JSON.stringify({ usable, checks, faults: available }, null, 2)}\n`);
  else {
    const rows = checks.map(({ name, status, text }) => ({ cells: [{ text: name }, { text: SIGNS[status], style: COLOURS[status] }, { text }] }));
    const width = process.stdout.columns ?? 160;
    for (const line of table(['what', 'state', 'explanation'], rows, { width, paint: painter(takesColour(process.stdout)) })) process.stdout.write(`${line}\n`);
    process.stdout.write(`\n${usable ? 'usable: scenarios can run here' : 'not usable: see what is lacking above'}\n`);
  }
  return usable ? EXIT.asExpected : EXIT.environment;
}

function nodeCheck(): Check {
  return { name: 'Node', status: 'ok', text: `${process.version}, ${process.platform} ${process.arch}` };
}

async function engineChecks(wanted: readonly WantedImage[]): Promise<{ checks: Check[]; faults: Availability[] }> {
  let engine: Engine;
  try {
    engine = await connectEngine();
  } catch (thrown) {
    if (!(thrown instanceof EnvironmentError)) throw thrown;
    return { checks: [{ name: 'engine', status: 'lacking', text: thrown.message }], faults: [] };
  }
  const [images, room, remains] = await Promise.all([imageStates(engine.address, wanted), roomOf(engine), remainsOn(engine)]);
  const present = images.find(({ state }) => state !== 'missing');
  const limits = present && (await lookInside(engine, present.tag));
  const inside = limits && { descriptors: limits.hardDescriptors, sameKernel: limits.bootId !== undefined && limits.bootId === ownBootId() };
  return { checks: judgeEngine({ engine, images, room, remains, inside }), faults: await availabilities(engine) };
}

async function remainsOn(engine: Engine): Promise<Remains[]> {
  return Promise.all((await findRemains(engine)).map(async (run) => ({ ...run, held: run.alive ? [] : await heldIn(engine, run) })));
}

/** Asks every fault what it lacks. Nobody can tell where the look itself fails. */
function availabilities(engine: Engine): Promise<Availability[]> {
  return Promise.all(
    catalogue().map(async ({ kind, family }) => {
      const lacks = await kind.lacks?.(engine).catch((thrown: unknown) => `nobody could look: ${messageOf(thrown)}`);
      return { fault: kind.kind, family, lacks };
    }),
  );
}

/** A row for what can be done of each family, and one for each fault that cannot. Pure. */
export function faultChecks(faults: readonly Availability[]): Check[] {
  return [...Map.groupBy(faults, ({ family }) => family)].flatMap(([family, members]): Check[] => {
    const able = members.filter(({ lacks }) => lacks === undefined).map(({ fault }) => fault);
    const row: Check[] = able.length > 0 ? [{ name: `faults: ${family}`, status: 'ok', text: able.join(', ') }] : [];
    return [
      ...row,
      ...members.flatMap(({ fault, lacks }): Check[] =>
        lacks === undefined ? [] : [{ name: `fault ${fault}`, status: 'note', text: `cannot be done here: ${lacks}` }],
      ),
    ];
  });
}

/** What to make of it. Pure. */
export function judgeEngine({ engine, images, room, remains, inside }: Seen): Check[] {
  const memoryGiB = (engine.memoryBytes / 2 ** 30).toFixed(1);
  const cgroups = `cgroup v${engine.cgroupVersion}, ${engine.rootless ? 'rootless' : 'with root'}, ${engine.storageDriver}`;
  const where = `${engine.local ? 'on this machine' : 'remote'}, ${engine.address.url}`;
  return [
    { name: 'engine', status: 'ok', text: `${engine.name} ${engine.version}, API ${engine.apiVersion}, ${where}` },
    { name: 'its system', status: 'ok', text: `${engine.operatingSystem}, kernel ${engine.kernel}, ${engine.architecture}` },
    engine.rootless && engine.cgroupVersion === '1'
      ? { name: 'isolation', status: 'note', text: `${cgroups}: limits on memory are not enforced; cgroup v2 or an engine with root enforces them` }
      : { name: 'isolation', status: 'ok', text: cgroups },
    engine.cpus < 2
      ? {
          name: 'size',
          status: 'note',
          text: `1 CPU, ${memoryGiB} GiB: load and cluster disturb each other, so runs will often be invalid; give the engine 2 CPUs`,
        }
      : { name: 'size', status: 'ok', text: `${engine.cpus} CPUs, ${memoryGiB} GiB` },
    ...images.map(imageCheck),
    networkCheck(room),
    ...(inside === undefined ? [] : [descriptorCheck(inside.descriptors), kernelCheck(inside.sameKernel)]),
    ...standingCheck(remains),
    leftoverCheck(remains),
  ];
}

function imageCheck({ tag, state, onDemand, origin, sizeBytes }: ImageState): Check {
  const name = `image ${tag}`;
  if (state === 'missing' && onDemand) return { name, status: 'note', text: `missing; only some scenarios need it; type: npm run setup -- ${shortName(tag)}` };
  if (state === 'missing') return { name, status: 'lacking', text: 'missing; type: npm run setup' };
  const text = `${origin ?? 'of unknown origin'}, ${Math.round((sizeBytes ?? 0) / 1e6)} MB`;
  return state === 'ready'
    ? { name, status: 'ok', text }
    : { name, status: 'note', text: `${text}; out of date, type: npm run setup${onDemand ? ` -- ${shortName(tag)}` : ''}` };
}

function networkCheck({ networksUsed, networksLeft }: EngineRoom): Check {
  const text = `${networksUsed} in use; the default address pools hold about ${networksLeft} more, and each run takes one`;
  return networksLeft > 0 ? { name: 'networks', status: 'ok', text } : { name: 'networks', status: 'lacking', text: `${text}; type: npx aftershock clean` };
}

function descriptorCheck(descriptors: number): Check {
  const name = 'descriptors';
  const text = `${descriptors} for each process in a container; a proxy takes two for each connection`;
  if (descriptors >= FEW_DESCRIPTORS) return { name, status: 'ok', text };
  return { name, status: 'note', text: `${text}; scenarios with many connections may run out of them; raise default-ulimits in the engine's daemon.json` };
}

function kernelCheck(same: boolean): Check {
  return {
    name: 'clock',
    status: 'ok',
    text: same ? 'containers share the kernel of this machine, and its clock' : 'containers run on another kernel than this machine, with a clock of its own',
  };
}

function leftoverCheck(remains: readonly Remains[]): Check {
  const name = 'leftovers';
  const ofRuns = remains.filter(({ kept }) => !kept);
  const dead = ofRuns.filter(({ alive }) => !alive);
  const going = `${ofRuns.length - dead.length} going on`;
  if (dead.length === 0) return { name, status: 'ok', text: `none of earlier runs; ${going}` };
  const containers = dead.reduce((sum, run) => sum + run.containers.length, 0);
  const networks = dead.reduce((sum, run) => sum + run.networks.length, 0);
  return {
    name,
    status: 'note',
    text: `${counted(dead.length, 'dead run')} left ${counted(containers, 'container')} and ${counted(networks, 'network')}${heldWords(dead)} (${going}); type: npx aftershock clean`,
  };
}

/** Clusters that somebody keeps. */
function standingCheck(remains: readonly Remains[]): Check[] {
  const kept = remains.filter((run) => run.kept);
  if (kept.length === 0) return [];
  const name = 'standing';
  const text = `${counted(kept.length, 'cluster')} left standing on purpose: ${kept.map(({ runId }) => runId).join(', ')}`;
  const held = heldWords(kept);
  return [held === '' ? { name, status: 'ok', text } : { name, status: 'note', text: `${text}${held}; type: npx aftershock down` }];
}

/** ', of which aftershock-3f2a-mc-1 is still held by a fault': when all that could take it back was killed at once. */
function heldWords(runs: readonly Remains[]): string {
  const held = runs.flatMap((run) => run.held);
  return held.length === 0 ? '' : `, of which ${held.join(', ')} ${held.length === 1 ? 'is' : 'are'} still paused or limited by a fault`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function ownBootId(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

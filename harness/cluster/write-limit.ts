/**
 * A limit on what a container may write to a disk in a second. The engine takes one only when it makes a container; of one that runs it answers that all is well, and does nothing. So it is
 * written into the container's control group, by a hand to which the engine's groups are laid in, and lent: the hand takes it out again when we die.
 */
import { EnvironmentError, messageOf } from '../core/errors.ts';
import type { Engine } from './engine.ts';
import type { Hand } from './hand.ts';
import { runLabels } from './labels.ts';
import { Resident } from './resident.ts';
import type { Disturbance } from './types.ts';
import { CONTROL_GROUPS } from './warden.ts';

export interface WriteLimit {
  readonly containerId: string;
  /** The node's, for people. */
  readonly name: string;
  readonly bytesPerSecond: number;
  readonly resident: Resident;
}

/** How a limit is written down, in the two versions of control groups. */
export interface Form {
  readonly file: string;
  readonly set: string;
  readonly clear: string;
  /** The line that says that it is there. */
  readonly there: RegExp;
}

export async function lendWriteLimit(hand: Hand, { containerId, name, bytesPerSecond, resident }: WriteLimit): Promise<Disturbance> {
  const folder = await groupOf(hand, containerId, name);
  const device = await wholeDisk(hand, await deviceOf(resident, name));
  const form = formOf(folder, device, bytesPerSecond);
  const lent = { begin: { argv: ['tee', form.file], input: form.set }, end: { argv: ['tee', form.file], input: form.clear } };
  const giveBack = await hand.lendTool(`writes of ${containerId}`, lent);
  return {
    undo: async () => {
      // The group goes with its container.
      if (await there(hand, form.file)) await giveBack();
    },
    missing: async () => {
      const { code, out } = await hand.outcomeOf(['cat', form.file]);
      if (code !== 0) return `the processes of ${name} are in another control group by now`;
      return form.there.test(out) ? undefined : `${name} has another limit by now`;
    },
  };
}

/** `folder`: the container's control group. `device`: 'major:minor' of a whole disk. */
export function formOf(folder: string, device: string, bytesPerSecond: number): Form {
  return folder.startsWith(`${CONTROL_GROUPS}/blkio/`)
    ? {
        file: `${folder}/blkio.throttle.write_bps_device`,
        set: `${device} ${bytesPerSecond}\n`,
        clear: `${device} 0\n`,
        there: new RegExp(`^${device} ${bytesPerSecond}$`, 'm'),
      }
    : {
        file: `${folder}/io.max`,
        set: `${device} wbps=${bytesPerSecond}\n`,
        clear: `${device} wbps=max\n`,
        there: new RegExp(`^${device} .*\\bwbps=${bytesPerSecond}\\b`, 'm'),
      };
}

/** Its name bears the container's id: 'docker/<id>', 'docker-<id>.scope', 'libpod-<id>.scope'. Six levels are as deep as a rootless engine's. */
async function groupOf(hand: Hand, containerId: string, name: string): Promise<string> {
  const { out } = await hand.outcomeOf(['find', CONTROL_GROUPS, '-maxdepth', '6', '-type', 'd', '-name', `*${containerId}*`]);
  const folders = out.split('\n').filter(Boolean);
  const old = folders.find((folder) => folder.startsWith(`${CONTROL_GROUPS}/blkio/`));
  if (old !== undefined && (await there(hand, `${old}/blkio.throttle.write_bps_device`))) return old;
  for (const folder of folders) if (await there(hand, `${folder}/io.max`)) return folder;
  throw new EnvironmentError(`the kernel limits no writes of ${name}: its control group has neither io.max nor blkio.throttle`);
}

async function there(hand: Hand, file: string): Promise<boolean> {
  return (await hand.outcomeOf(['cat', file])).code === 0;
}

/** The disk on which the engine keeps the container: the one from which it lays in the file of its names. */
async function deviceOf(resident: Resident, name: string): Promise<string> {
  const device = String((await resident.measure(['device']))['device']);
  // Filesystems that span several disks have numbers of their own, which no limit can be on.
  if (!/^[1-9]\d*:\d+$/.test(device)) throw new EnvironmentError(`the engine keeps ${name} on no disk of which writes can be limited (device ${device})`);
  return device;
}

/** Limits are on whole disks, not on their parts. */
async function wholeDisk(hand: Hand, device: string): Promise<string> {
  const at = `/sys/dev/block/${device}`;
  if (!(await there(hand, `${at}/partition`))) return device;
  const { code, out } = await hand.outcomeOf(['cat', `${at}/../dev`]);
  return code === 0 ? out.trim() : device;
}

/** 300 KB at 1 MB/s take 0.3 s, less a slice of the kernel's of a tenth; a disk on which no limit is takes some milliseconds. */
const SLOWED_US = 150_000;

/**
 * Why writes cannot be limited with this engine on its kernel; undefined where they can, and where there is nothing to try it with. Tried in a container that limits itself and writes: 1 s.
 */
export async function writesLackIn({ docker }: Engine): Promise<string | undefined> {
  // Any of our images will do: each stands on a Debian.
  const [image] = await docker.listImages({ filters: JSON.stringify({ reference: ['aftershock/base', 'aftershock/memcached'] }) as never });
  if (!image) return undefined;
  const container = await docker.createContainer({
    Image: image.Id,
    Cmd: ['sleep', '30'],
    Labels: runLabels('look'),
    HostConfig: { NetworkMode: 'none', CapDrop: ['ALL'], Binds: [`/sys/fs/cgroup:${CONTROL_GROUPS}`], AutoRemove: true },
    User: 'root',
  });
  try {
    await container.start();
    const { wallUs } = await new Resident(docker, container.id, 'a container that tries it').measure(['throttle', container.id]);
    return Number(wallUs) >= SLOWED_US ? undefined : 'the kernel takes a limit on writes, and writes as fast as before';
  } catch (thrown) {
    return messageOf(thrown);
  } finally {
    await container.remove({ force: true });
  }
}

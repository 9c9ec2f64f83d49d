/**
 * Clocks that can be put wrong while a node runs. A process asks its C library for the time, so a library that is loaded before it (libfaketime) can answer instead: it must be there when the
 * process starts, and reads how wrong it is to be from a file, anew each second. Without the file, the time is right.
 *
 * Who puts the clock wrong is a script in the node's own container. It holds the file for as long as somebody says a word on its stdin, and takes it away otherwise. The file lies in the
 * container's memory, so that a node that is started again is right. One that was killed leaves the file, and another program takes it away when the clock is to be right.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { EnvironmentError, messageOf } from '../core/errors.ts';
import { once } from '../core/once.ts';
import { openChannel } from './channel.ts';
import type { Ground } from './ground.ts';
import type { Hand } from './hand.ts';
import { isRunning, runIn } from './inside.ts';
import { Orders } from './orders.ts';
import type { ClockSpec, NodeSpec } from './spec.ts';
import type { Disturbance } from './types.ts';

/** In the image of the hand. */
const LIBRARY_IN_IMAGE = '/usr/lib/aftershock/libfaketime.so.1';
const LIBRARY = '/aftershock-clock/libfaketime.so.1';
const SCRIPT = '/aftershock-clock/skew.sh';
const FILE = '/dev/shm/aftershock-clock';
const DONE_WITHIN_MS = 5_000;

/** How a process is started whose clock can be put wrong: its monotonic clocks are left alone, and so are the times of files. A second is how long it goes by what it has read. */
const SKEWABLE: Readonly<Record<string, string>> = {
  LD_PRELOAD: LIBRARY,
  FAKETIME_TIMESTAMP_FILE: FILE,
  FAKETIME_CACHE_DURATION: '1',
  FAKETIME_DONT_FAKE_MONOTONIC: '1',
  FAKETIME_DISABLE_SHM: '1',
  NO_FAKE_STAT: '1',
};

/** Takes the file away when nobody has said a word for eight seconds, and when stdin ends: who has read it goes by it for a second more, and that has to be over in ten. To a line that bears an id it answers with what the file says, by nothing but bash itself. */
const SCRIPT_TEXT = `# Puts the clocks of this container wrong: OFFSET, as '+3600'.
trap 'rm -f ${FILE}' EXIT
printf '%s\\n' "$1" > ${FILE}.new && mv ${FILE}.new ${FILE} || exit 1
while read -r -t 8 line; do
  [[ $line =~ \\"id\\":([0-9]+) ]] || continue
  now=
  { read -r now < ${FILE}; } 2> /dev/null
  printf '{"id":%s,"offset":"%s"}\\n' "\${BASH_REMATCH[1]}" "\${now//[^0-9+-]/}"
done
`;

/** The files that such a node needs: the library, from the image of the hand, and the script. Throws EnvironmentError when the image has none. */
export async function skewingFiles({ engine, labels }: Ground, handImage: string): Promise<Readonly<Record<string, string | Buffer>>> {
  const container = await engine.docker.createContainer({ Image: handImage, Cmd: ['true'], Labels: labels });
  try {
    const pieces: Buffer[] = [];
    for await (const piece of await container.getArchive({ path: LIBRARY_IN_IMAGE })) pieces.push(piece as Buffer);
    return { [LIBRARY]: firstFileOf(Buffer.concat(pieces)), [SCRIPT]: SCRIPT_TEXT };
  } catch (thrown) {
    throw new EnvironmentError(`the image ${handImage} has no ${LIBRARY_IN_IMAGE}; type: npm run setup`, { cause: thrown });
  } finally {
    await container.remove({ force: true });
  }
}

/** A tar archive begins with a header of 512 bytes, in which the length of the file stands in octal at 124; the file follows. */
function firstFileOf(archive: Buffer): Buffer {
  const length = Number.parseInt(archive.toString('latin1', 124, 136), 8);
  return archive.subarray(512, 512 + length);
}

/** What a node's container is started with: more than its own when its clock can be put wrong. */
export async function withSkewableClock(
  { skewable, environment = {} }: NodeSpec,
  files: Readonly<Record<string, string>>,
  more: () => Promise<Readonly<Record<string, string | Buffer>>>,
): Promise<{ files: Readonly<Record<string, string | Buffer>>; environment: Readonly<Record<string, string>> }> {
  return skewable ? { files: { ...files, ...(await more()) }, environment: { ...environment, ...SKEWABLE } } : { files, environment };
}

/** How far a node's wall clock is ahead of ours, ms: asked of a hand in a client, over the network of any other. */
export async function clockOffsetMs(hand: Hand, { name, role, wallClock }: NodeSpec, address: string): Promise<number> {
  const askedAt = Date.now();
  const told = role === 'client' ? await hand.wallClock() : await toldTime(hand, name, wallClock, address);
  return told - (askedAt + Date.now()) / 2;
}

async function toldTime(hand: Hand, name: string, wallClock: ClockSpec | undefined, address: string): Promise<number> {
  if (!wallClock) throw new EnvironmentError(`node ${name} does not tell what time it is by its clock`);
  const { port, ...exchange } = wallClock;
  const [text = ''] = await hand.exchange({ to: `${address}:${port}`, ...exchange });
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text);
  if (Number.isNaN(ms)) throw new EnvironmentError(`node ${name} told no time, but '${text}'`);
  return ms;
}

/** Puts the clocks of all processes in a container wrong by so many seconds, for as long as we live. Throws EnvironmentError. */
export async function skew({ engine }: Ground, { name: node, skewable }: NodeSpec, containerId: string, offsetS: number): Promise<Disturbance> {
  if (!skewable) throw new EnvironmentError(`node ${node} was not started so that its clock can be put wrong`);
  const offset = `${offsetS < 0 ? '-' : '+'}${Math.abs(offsetS)}`;
  const container = engine.docker.getContainer(containerId);
  // The script itself goes by the right clock.
  const orders = new Orders(await openChannel(engine.docker, containerId, ['bash', SCRIPT, offset], { LD_PRELOAD: '' }), `what holds the clock of ${node}`);
  const tell = async () => String((await orders.ask({ do: 'tell' }, DONE_WITHIN_MS))['offset']);
  const undo = once(async () => {
    if (orders.end === undefined) await Promise.race([orders.close(), sleep(DONE_WITHIN_MS, undefined, { ref: false })]);
    await removeFile(container, node);
  });
  try {
    const told = await tell();
    if (told !== offset) throw new EnvironmentError(`its file says '${told}'`);
  } catch (thrown) {
    await undo();
    throw new EnvironmentError(`the clock of ${node} could not be put wrong: ${messageOf(thrown)}`, { cause: thrown });
  }
  const missing = async () => {
    // One that ends while it is asked has not told.
    const told = orders.end === undefined ? await tell().catch(unlessEnded(orders)) : undefined;
    const now = told ?? (await offsetIn(container));
    if (now === '') return `the clock of ${node} is right again`;
    if (now !== offset) return `the clock of ${node} is wrong by '${now}' seconds by now`;
    return orders.end === undefined ? undefined : `${orders.end}; the clock of ${node} is still wrong`;
  };
  return { undo, missing };
}

function unlessEnded(orders: Orders): (thrown: unknown) => undefined {
  return (thrown) => {
    if (orders.end === undefined) throw thrown;
  };
}

/** What the file in a container says, by a fresh program; empty where there is none, and where nothing runs. */
async function offsetIn(container: Dockerode.Container): Promise<string> {
  if (!(await isRunning(container))) return '';
  const { code, said } = await runIn(container, ['cat', FILE]);
  return code === 0 ? said.trim() : '';
}

/** By a fresh program: the script, had it been killed, would have left it there. */
async function removeFile(container: Dockerode.Container, node: string): Promise<void> {
  if (!(await isRunning(container))) return;
  const { code, said } = await runIn(container, ['rm', '-f', FILE]);
  if (code !== 0) throw new EnvironmentError(`the clock of ${node} could not be put right: ${said.trim() || `exit ${code}`}`);
}

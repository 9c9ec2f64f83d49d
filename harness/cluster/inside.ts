/** A node's container from inside: files are read from it and laid into it, and programs that are in it are run. */
import { basename, dirname } from 'node:path';
import { PassThrough } from 'node:stream';
import type Dockerode from 'dockerode';
import { EnvironmentError } from '../core/errors.ts';
import type { Step } from './warden.ts';

const BLOCK_BYTES = 512;
/** Where each field of a tar's header begins, bytes. */
const AT = { name: 0, mode: 100, uid: 108, gid: 116, size: 124, mtime: 136, sum: 148, type: 156, magic: 257 } as const;
/** To read, by all. */
const MODE = 0o644;

/** Lays a file into a container, whether it runs or not. Its folder has to be there. */
export async function layFile(container: Dockerode.Container, path: string, text: string): Promise<void> {
  await container.putArchive(tarOf(basename(path), text), { path: dirname(path) });
}

/** The same, as a step of whoever takes back for us. */
export function layingStep(containerId: string, path: string, text: string): Step {
  const into = `/containers/${containerId}/archive?path=${encodeURIComponent(dirname(path))}`;
  return { method: 'PUT', path: into, tar: tarOf(basename(path), text).toString('base64') };
}

/** The text of a file in a container. Throws EnvironmentError when there is none. */
export async function fileIn(container: Dockerode.Container, path: string): Promise<string> {
  try {
    const pieces: Buffer[] = [];
    for await (const piece of await container.getArchive({ path })) pieces.push(piece as Buffer);
    return textIn(Buffer.concat(pieces));
  } catch (thrown) {
    if ((thrown as { statusCode?: number }).statusCode === 404) throw new EnvironmentError(`there is no ${path} in the container`, { cause: thrown });
    throw thrown;
  }
}

/** Whether programs can be run in it. One that is gone runs no more. */
export async function isRunning(container: Dockerode.Container): Promise<boolean> {
  try {
    return (await container.inspect()).State.Running;
  } catch (thrown) {
    if ((thrown as { statusCode?: number }).statusCode === 404) return false;
    throw thrown;
  }
}

/** Runs a program in a container, as its own user or another, and waits for its end; what it printed is told with its exit code. */
export async function runIn(container: Dockerode.Container, argv: readonly string[], user?: string): Promise<{ readonly code: number; readonly said: string }> {
  const exec = await container.exec({ Cmd: [...argv], AttachStdout: true, AttachStderr: true, ...(user !== undefined && { User: user }) });
  const stream = await exec.start({ hijack: true, stdin: false });
  const said = new PassThrough();
  container.modem.demuxStream(stream, said, said);
  const pieces: Buffer[] = [];
  said.on('data', (piece: Buffer) => pieces.push(piece));
  await new Promise((resolve, reject) => stream.once('end', resolve).once('close', resolve).once('error', reject));
  const { ExitCode } = await exec.inspect();
  return { code: ExitCode ?? -1, said: Buffer.concat(pieces).toString('utf8') };
}

/** An archive (ustar) of one file. */
export function tarOf(name: string, text: string): Buffer {
  const content = Buffer.from(text);
  const header = Buffer.alloc(BLOCK_BYTES);
  const put = (at: number, field: string) => header.write(field, at, 'latin1');
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0');
  put(AT.name, name);
  put(AT.mode, octal(MODE, 7));
  put(AT.uid, octal(0, 7));
  put(AT.gid, octal(0, 7));
  put(AT.size, octal(content.length, 11));
  put(AT.mtime, octal(Math.floor(Date.now() / 1_000), 11));
  put(AT.type, '0');
  put(AT.magic, 'ustar\x0000');
  // The sum of all bytes of the header, its own eight taken for spaces.
  put(AT.sum, ' '.repeat(8));
  put(
    AT.sum,
    `${octal(
      header.reduce((sum, byte) => sum + byte, 0),
      6,
    )}\0 `,
  );
  // Padded to whole blocks; two empty ones are its end.
  const padding = Buffer.alloc((BLOCK_BYTES - (content.length % BLOCK_BYTES)) % BLOCK_BYTES);
  return Buffer.concat([header, content, padding, Buffer.alloc(2 * BLOCK_BYTES)]);
}

/** The text of the one file in an archive. */
export function textIn(tar: Buffer): string {
  const bytes = Number.parseInt(tar.toString('latin1', AT.size, AT.size + 11), 8);
  return tar.toString('utf8', BLOCK_BYTES, BLOCK_BYTES + bytes);
}

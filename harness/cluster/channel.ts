/**
 * A program of ours inside a container, over the engine's exec: lines of JSON in and out. Its stdin is its lease: when this
 * process goes, stdin ends there, and the program ends itself.
 */

import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import type Dockerode from 'dockerode';
import { EnvironmentError } from '../core/errors.ts';

export interface Channel {
  send(message: object): void;
  /** Called for each line of stdout, parsed. */
  onMessage(listener: (message: Record<string, unknown>) => void): void;
  /** Resolves when the program has ended, with its exit code and the end of its stderr. */
  readonly ended: Promise<{ code: number; stderr: string }>;
  /** Ends its stdin, and with it the program. */
  close(): void;
}

/** Says that we are still there. To a program that has ended in this moment it is lost, and `ended` is about to tell: nobody could catch what a timer throws. */
export function beat(channel: Channel): void {
  try {
    channel.send({ do: 'beat' });
  } catch (thrown) {
    if (!(thrown instanceof EnvironmentError)) throw thrown;
  }
}

/** Lines of stderr kept for the error message. */
const STDERR_KEPT = 2_000;

export async function openChannel(
  docker: Dockerode,
  containerId: string,
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  user?: string,
): Promise<Channel> {
  const Env = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const exec = await docker.getContainer(containerId).exec({
    Cmd: [...command],
    Env,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    ...(user !== undefined && { User: user }),
  });
  const stream = await exec.start({ hijack: true, stdin: true });
  return channelOver(docker, stream, command.at(-1) ?? '', async () => (await exec.inspect()).ExitCode ?? -1);
}

/** The first program of a container that was created with a stdin: it stays when we go. */
export async function attachChannel(docker: Dockerode, containerId: string): Promise<Channel> {
  const container = docker.getContainer(containerId);
  const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
  return channelOver(docker, stream, 'its first program', async () => (await container.inspect()).State.ExitCode);
}

function channelOver(docker: Dockerode, stream: NodeJS.ReadWriteStream, program: string, exitCode: () => Promise<number>): Channel {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  docker.modem.demuxStream(stream, stdout, stderr);
  let complaints = '';
  stderr.on('data', (bytes: Buffer) => {
    complaints = (complaints + bytes.toString()).slice(-STDERR_KEPT);
  });
  const listeners: ((message: Record<string, unknown>) => void)[] = [];
  createInterface({ input: stdout }).on('line', (line) => {
    const message = parsed(line);
    if (message === undefined) complaints = `${complaints}${line}\n`.slice(-STDERR_KEPT);
    else for (const listener of listeners) listener(message);
  });
  const ended = new Promise<{ code: number; stderr: string }>((resolve) => {
    const finish = () => {
      stdout.end();
      exitCode().then(
        (code) => resolve({ code, stderr: complaints.trim() }),
        // The container or the engine is gone, and with it the program.
        () => resolve({ code: -1, stderr: complaints.trim() || 'its container is gone' }),
      );
    };
    stream.once('end', finish);
    // An engine that goes can tell of it more than once.
    stream.on('error', finish);
    stream.once('close', finish);
  });
  return {
    send: (message) => {
      if (!stream.writable) throw new EnvironmentError(`${program} has ended: ${complaints.trim() || 'no word why'}`);
      stream.write(`${JSON.stringify(message)}\n`);
    },
    onMessage: (listener) => listeners.push(listener),
    ended,
    close: () => {
      stream.end();
    },
  };
}

/** Undefined for a line that is not a JSON object: a warning of the runtime, a crash. */
function parsed(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

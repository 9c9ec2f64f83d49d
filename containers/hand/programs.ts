/** Programs that a hand keeps running beside itself, by name: each says a line when it is ready, and ends when its stdin ends, so that none outlives this process. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ToolResult } from './tool.ts';

/** Starts a program under a name; done when it has said that it is ready. */
export interface ProgramCall {
  readonly program: string;
  readonly argv: readonly string[];
}

/** Ends it; nothing when there is none. */
export interface EndCall {
  readonly endProgram: string;
}

const READY_LIMIT_MS = 5_000;
/** It only has to let go of what it holds. */
const END_LIMIT_MS = 1_000;

const running = new Map<string, ChildProcessWithoutNullStreams>();
let lost: (name: string) => void = () => undefined;

/** Called when a program has ended by itself. */
export function onLost(listener: (name: string) => void): void {
  lost = listener;
}

/** Exit code 0 once it is ready; its own, and its own words, when it ended before. */
export async function startProgram({ program, argv: [file = '', ...args] }: ProgramCall): Promise<ToolResult> {
  const child = spawn(file, args);
  const said = { out: '', err: '' };
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text));
  // It does not read; it only sees the end.
  child.stdin.on('error', () => undefined);
  return new Promise((resolve) => {
    const late = setTimeout(() => child.kill('SIGKILL'), READY_LIMIT_MS);
    const settle = (code: number) => {
      clearTimeout(late);
      resolve({ code, ...said });
    };
    child.on('error', (error: NodeJS.ErrnoException) => {
      said.err ||= error.code === 'ENOENT' ? `there is no '${file}' here` : error.message;
      settle(127);
    });
    child.stdout.once('data', () => {
      running.set(program, child);
      settle(0);
    });
    child.on('close', (code) => {
      settle(code ?? 137);
      if (running.get(program) !== child) return;
      running.delete(program);
      lost(program);
    });
  });
}

export async function endProgram({ endProgram: name }: EndCall): Promise<ToolResult> {
  const child = running.get(name);
  if (child) {
    running.delete(name);
    const ended = once(child, 'close');
    const late = setTimeout(() => child.kill('SIGKILL'), END_LIMIT_MS);
    child.stdin.end();
    await ended;
    clearTimeout(late);
  }
  return { code: 0, out: '', err: '' };
}

/** Runs one of the kernel's tools (nft, tc): arguments as a list, its input as text, and never for longer than a limit. */
import { spawn } from 'node:child_process';

export interface ToolCall {
  /** The program and its arguments. */
  readonly argv: readonly string[];
  /** What it reads. */
  readonly input?: string;
}

export interface ToolResult {
  /** Exit code; 128 + n when signal n ended it, as the limit does. */
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const LIMIT_MS = 5_000;

/** Rejects when it cannot be started. */
export function runTool({ argv: [program = '', ...args], input = '' }: ToolCall, limitMs = LIMIT_MS): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { timeout: limitMs, killSignal: 'SIGKILL' });
    const said = { out: '', err: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text));
    child.on('error', (error: NodeJS.ErrnoException) => reject(new Error(error.code === 'ENOENT' ? `there is no '${program}' here` : error.message)));
    child.on('close', (code, signal) => resolve({ code: code ?? (signal === 'SIGKILL' ? 137 : 128), ...said }));
    // A program that has ended does not read.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** Runs one of the kernel's tools (nft, tc): arguments as a list, its input as text, and never for longer than a limit. */
import { spawn } from 'node:child_process';
import { type SignalCall, sendSignal } from './processes.ts';
import { type EndCall, endProgram, type ProgramCall, startProgram } from './programs.ts';

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

/** What a hand does at somebody's word: runs a tool, sends a signal, starts or ends a program that it keeps running, or several of these one after the other. */
export type Call = ToolCall | SignalCall | ProgramCall | EndCall | InTurn;

export interface InTurn {
  readonly inTurn: readonly Call[];
  /** Does the rest when one fails, and then tells of the first that did: for taking back. */
  readonly goOn?: boolean;
}

/** Rejects when a tool cannot be started. */
export async function carryOut(call: Call): Promise<ToolResult> {
  if ('inTurn' in call) return carryOutAll(call);
  if ('program' in call) return startProgram(call);
  if ('endProgram' in call) return endProgram(call);
  return 'signal' in call ? sendSignal(call) : runTool(call);
}

async function carryOutAll({ inTurn, goOn = false }: InTurn): Promise<ToolResult> {
  let failed: ToolResult | undefined;
  for (const call of inTurn) {
    const result = await carryOut(call);
    if (result.code !== 0) failed ??= result;
    if (failed && !goOn) break;
  }
  return failed ?? { code: 0, out: '', err: '' };
}

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

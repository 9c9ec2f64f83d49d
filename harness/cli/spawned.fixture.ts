/** The command line as a stranger types it: a process of its own, its output and exit code. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
export const SLOW_NODE = join(ROOT, 'scenarios', 'incidents', 'slow-node.ts');

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Spawned {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves when stderr has said it. */
  said(text: string): Promise<void>;
}

export function aftershock(args: readonly string[], environment: Record<string, string> = {}): Spawned {
  const child = spawn(process.execPath, [join(ROOT, 'harness', 'cli', 'main.ts'), ...args], {
    cwd: ROOT,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const waiting: { text: string; resolve: () => void; reject: (error: Error) => void }[] = [];
  child.stdout.on('data', (bytes: Buffer) => {
    stdout += bytes.toString();
  });
  child.stderr.on('data', (bytes: Buffer) => {
    stderr += bytes.toString();
    for (const one of waiting) if (stderr.includes(one.text)) one.resolve();
  });
  const finished = new Promise<Finished>((resolve) => {
    child.once('close', (code) => {
      for (const one of waiting) one.reject(new Error(`it ended without saying '${one.text}': ${stderr}`));
      resolve({ code, stdout, stderr });
    });
  });
  return {
    child,
    finished,
    said: (text) => (stderr.includes(text) ? Promise.resolve() : new Promise((resolve, reject) => waiting.push({ text, resolve, reject }))),
  };
}

/** A folder inside the project, so that scenario files in it can import 'aftershock'. The answer removes it. */
export function temporaryFolder(): { readonly path: string; file(name: string, content: string): string; remove(): void } {
  mkdirSync(join(ROOT, 'results'), { recursive: true });
  const path = mkdtempSync(join(ROOT, 'results', 'test-'));
  return {
    path,
    file: (name, content) => {
      writeFileSync(join(path, name), content);
      return join(path, name);
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

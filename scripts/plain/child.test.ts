import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Says 'ready', then each SIGINT that it gets, and ends with 42 at SIGTERM. */
const PROGRAM =
  "process.on('SIGINT', () => console.log('SIGINT')); process.on('SIGTERM', () => process.exit(42)); setTimeout(() => {}, 20_000); console.log('ready')";

function start(source: string): { child: ChildProcess; said: () => string[]; ready: () => Promise<void> } {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'child.fixture.mjs'), source], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  let text = '';
  child.stdout?.on('data', (bytes: Buffer) => {
    text += bytes.toString();
  });
  const ready = async (): Promise<void> => {
    while (!text.includes('ready')) await once(child.stdout ?? child, 'data');
  };
  return { child, said: () => text.trim().split('\n'), ready };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a program that runs in our place', () => {
  it('ends us with its exit code', async () => {
    const [code] = await once(start('process.exit(7)').child, 'exit');
    expect(code).toBe(7);
  });

  it('ends us with 128 + n when signal n ended it', async () => {
    const [code] = await once(start("process.kill(process.pid, 'SIGKILL')").child, 'exit');
    expect(code).toBe(128 + 9);
  });

  it('gets one SIGINT when the terminal sends it to all of our process group', async () => {
    const { child, said, ready } = start(PROGRAM);
    await ready();
    process.kill(-(child.pid ?? 0), 'SIGINT');
    await pause(600);
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect(said()).toEqual(['ready', 'SIGINT']);
  });

  it('gets one SIGINT for a Ctrl-C that reaches us twice, and another for the next', async () => {
    const { child, said, ready } = start(PROGRAM);
    await ready();
    child.kill('SIGINT');
    await pause(50);
    child.kill('SIGINT');
    await pause(600);
    expect(said()).toEqual(['ready', 'SIGINT']);
    child.kill('SIGINT');
    await pause(600);
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    expect({ code, said: said() }).toEqual({ code: 42, said: ['ready', 'SIGINT', 'SIGINT'] });
  });
});

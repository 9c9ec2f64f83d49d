/**
 * Compiles the measuring programs of ours that are not in TypeScript, anew for each run: it takes a second.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../scripts/plain/progress.mjs';
import { output } from './processes.ts';

export interface Programs {
  /** Notes arrivals: `sink PORT RATE`. There is no such file without a C compiler, which measurements that run it name among what they use. */
  readonly sink: string;
  /** The most punctual generator that this machine allows. */
  readonly pacer: string;
  /** The Go program that opens connections; undefined without Go. */
  readonly goFlood: string | undefined;
  /** For files that measurements write; gone at the end. */
  readonly scratch: string;
  readonly remove: () => void;
}

/** Throws EnvironmentError with what the compiler said. */
export async function compilePrograms(cc: string | undefined, go: string | undefined): Promise<Programs> {
  const folder = mkdtempSync(join(tmpdir(), 'aftershock-bench-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.on('exit', remove);
  const bench = join(ROOT, 'bench');
  const [sink, pacer] = [join(folder, 'sink'), join(folder, 'pacer')];
  if (cc !== undefined) {
    await output([cc, '-O2', '-o', sink, join(bench, 'sink.c'), '-lm']);
    await output([cc, '-O2', '-o', pacer, join(bench, 'pacer.c')]);
  }
  const goFlood = go === undefined ? undefined : join(folder, 'go-flood');
  if (go !== undefined && goFlood !== undefined) {
    await output([go, 'build', '-trimpath', '-buildvcs=false', '-o', goFlood, '.'], {
      cwd: join(bench, 'go-flood'),
      env: { GOFLAGS: '' },
      patienceMs: 180_000,
    });
  }
  return { sink, pacer, goFlood, scratch: folder, remove };
}

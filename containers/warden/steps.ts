/** What the warden does to take something back: steps over the engine's API, a few for each thing that was noted. */
import { request } from 'node:http';
import type { Step } from '../../harness/cluster/warden.ts';
import type { Ask } from '../reaper/engine.ts';
import { refused } from '../reaper/reap.ts';

/** A few of them, one after the other, have to fit into the two seconds that are left of the ten in which every fault ends. */
const LIMIT_MS = 1_000;
/** The engine starts a container within some 300 ms, and does so to the end whether it is waited for or not. */
const START_LIMIT_MS = 3_000;

/**
 * Takes everything back, whatever becomes of each: all at once, and then the starts, one after the other. The engine gives the lowest address that is free, so in the order of the addresses
 * that they had each gets its own again, to which links lead. Answers with what did not work, a line each; what is gone is as good as taken back.
 */
export async function takeBack(socketPath: string, ask: Ask, notes: readonly (readonly Step[])[]): Promise<string[]> {
  const failures: string[] = [];
  const starts = notes.flat().flatMap((step) => ('start' in step ? [step] : []));
  const carryOut = async (step: Step) => {
    const why = await done(socketPath, ask, step);
    if (why !== undefined) failures.push(why);
  };
  await Promise.all(
    notes.map(async (steps) => {
      for (const step of steps) if (!('start' in step)) await carryOut(step);
    }),
  );
  for (const step of starts.toSorted((a, b) => a.order - b.order)) await carryOut(step);
  return failures;
}

/** Why it was not done, in a line; undefined when it was. */
async function done(socketPath: string, ask: Ask, step: Step): Promise<string | undefined> {
  if ('start' in step) return refused(ask, { method: 'POST', path: `/containers/${step.start}/start` }, START_LIMIT_MS);
  if ('run' in step) return run(ask, step);
  if (step.method === 'PUT') return lay(socketPath, step);
  return refused(ask, step, LIMIT_MS);
}

async function run(ask: Ask, { run: container, argv }: { readonly run: string; readonly argv: readonly string[] }): Promise<string | undefined> {
  const path = `/containers/${container}/exec`;
  let id: string | undefined;
  // The engine's answer to its making is what tells which one is to be started.
  const why = await refused(
    async (call, limitMs) => {
      const answer = await ask(call, limitMs);
      id = (answer.body as { Id?: string }).Id;
      return answer;
    },
    { method: 'POST', path, body: { Cmd: argv } },
    LIMIT_MS,
  );
  return why ?? (id === undefined ? undefined : refused(ask, { method: 'POST', path: `/exec/${id}/start`, body: { Detach: true } }, LIMIT_MS));
}

function lay(socketPath: string, { path, tar }: { readonly path: string; readonly tar: string }): Promise<string | undefined> {
  const bytes = Buffer.from(tar, 'base64');
  const headers = { host: 'engine', 'content-type': 'application/x-tar', 'content-length': bytes.length };
  return new Promise((resolve) => {
    const fail = (error: Error) => resolve(`PUT ${path}: ${error.message}`);
    const asking = request({ socketPath, method: 'PUT', path, headers, agent: false, signal: AbortSignal.timeout(LIMIT_MS) }, (response) => {
      const { statusCode = 0 } = response;
      response.resume();
      response.on('error', fail);
      response.on('end', () => resolve(statusCode < 400 || statusCode === 404 ? undefined : `PUT ${path}: ${statusCode}`));
    });
    asking.on('error', fail);
    asking.end(bytes);
  });
}

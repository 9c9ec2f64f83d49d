/**
 * What a guard does for a cluster that is to stay, when whoever disturbed it is dead: it puts back what it saw when it came. What is paused goes on, what has ended is started again, and what has
 * come since is removed.
 */
import type { Ask, Call } from './engine.ts';
import { found, refused } from './reap.ts';

/** A container as it was. */
export interface Kept {
  readonly id: string;
  readonly running: boolean;
  readonly address: string;
}

/** Sidecars hear of their owner's death when we do, and take back what they have lent: 300 ms for a tool or two, and some for a busy machine. */
const REST_MS = 2_000;
const RESUME_LIMIT_MS = 1_500;

interface Inspected {
  readonly Id: string;
  readonly State: { readonly Running: boolean };
  readonly NetworkSettings: { readonly Networks?: Readonly<Record<string, { readonly IPAddress?: string }>> };
}

/** Everything that bears the label, as it is now. */
export async function look(ask: Ask, label: string): Promise<Kept[]> {
  const ids = await found(ask, 'containers/json?all=1', label);
  const seen = await Promise.all(ids.map((id) => inspected(ask, id)));
  return seen.flatMap((one) => one ?? []);
}

/** Answers with what did not work, a line each. */
export async function restore(ask: Ask, label: string, before: readonly Kept[], restMs = REST_MS): Promise<string[]> {
  const failures: string[] = [];
  const attempt = async (call: Call, limitMs?: number) => {
    const why = await refused(ask, call, limitMs);
    if (why !== undefined) failures.push(why);
  };
  const paused = await found(ask, 'containers/json?all=1', label, { status: ['paused'] });
  await Promise.all(paused.map((id) => attempt({ method: 'POST', path: `/containers/${id}/unpause` }, RESUME_LIMIT_MS)));
  const then = new Map(before.map((one) => [one.id, one]));
  const ended = (await look(ask, label)).flatMap(({ id, running }) => (running ? [] : (then.get(id) ?? []))).filter(({ running }) => running);
  // The engine gives the lowest address that is free: one after the other, by the addresses that they had, so that each gets its own again, to which links lead.
  for (const { id } of ended.toSorted((a, b) => numeric(a.address) - numeric(b.address))) await attempt({ method: 'POST', path: `/containers/${id}/start` });
  await new Promise((resolve) => setTimeout(resolve, restMs));
  const come = (await found(ask, 'containers/json?all=1', label)).filter((id) => !then.has(id));
  await Promise.all(come.map((id) => attempt({ method: 'DELETE', path: `/containers/${id}?force=1&v=1` })));
  return failures;
}

/** Undefined when it is gone by now. */
async function inspected(ask: Ask, id: string): Promise<Kept | undefined> {
  const { status, body } = await ask({ method: 'GET', path: `/containers/${id}/json` });
  if (status !== 200) return undefined;
  const { Id, State, NetworkSettings } = body as Inspected;
  return { id: Id, running: State.Running, address: Object.values(NetworkSettings.Networks ?? {})[0]?.IPAddress ?? '' };
}

/** '172.20.0.9' comes before '172.20.0.10'. */
function numeric(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

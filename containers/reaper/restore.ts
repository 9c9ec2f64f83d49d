/**
 * What a guard does for a cluster that is to stay, when whoever disturbed it is dead: it puts back what it saw when it came. What is paused or stopped goes on, what is limited has all again,
 * what has ended is started again, and what has come since is removed.
 */
import { allGiven, GO_ON, hasStopped, isLimited, type Limits, PS_ARGUMENTS, type Top } from '../../harness/cluster/held/held.ts';
import type { Ask, Call } from './engine.ts';
import { BETWEEN_LOOKS_MS, found, MOST_LOOKS, RESUME_LIMIT_MS, refused, rest, unpauseAll, wordsOf } from './reap.ts';

/** A container as it was. */
export interface Kept {
  readonly id: string;
  readonly running: boolean;
  readonly address: string;
  readonly limits: Limits;
}

/** Sidecars hear of their owner's death when we do, and take back what they have lent: 300 ms for a tool or two, and some for a busy machine. */
const REST_MS = 2_000;
const RESTS = { forSidecarsMs: REST_MS, betweenMs: BETWEEN_LOOKS_MS };

type Attempt = (call: Call, limitMs?: number) => Promise<void>;

interface Inspected {
  readonly Id: string;
  readonly State: { readonly Running: boolean };
  readonly HostConfig?: Limits;
  readonly NetworkSettings: { readonly Networks?: Readonly<Record<string, { readonly IPAddress?: string }>> };
}

/** Everything that bears the label, as it is now. Throws where the engine does not tell. */
export async function look(ask: Ask, label: string): Promise<Kept[]> {
  const ids = await found(ask, 'containers/json?all=1', label);
  const seen = await Promise.all(ids.map((id) => inspected(ask, id)));
  return seen.flatMap((one) => one ?? []);
}

/** Answers with what did not work at the last look, a line each. */
export async function restore(ask: Ask, label: string, before: readonly Kept[], { forSidecarsMs, betweenMs } = RESTS): Promise<string[]> {
  const then = new Map(before.map((one) => [one.id, one]));
  const notHealed = await untilDone(ask, betweenMs, (attempt) => heal(ask, label, then, attempt));
  await rest(forSidecarsMs);
  const notRemoved = await untilDone(ask, betweenMs, async (attempt) => {
    const come = (await found(ask, 'containers/json?all=1', label)).filter((id) => !then.has(id));
    await Promise.all(come.map((id) => attempt({ method: 'DELETE', path: `/containers/${id}?force=1&v=1` })));
    return [];
  });
  return [...notHealed, ...notRemoved];
}

/** Looks again while something does not work, so many times at the most. What `once` answers with is told and not tried again. */
async function untilDone(ask: Ask, betweenMs: number, once: (attempt: Attempt) => Promise<string[]>): Promise<string[]> {
  for (let looks = 1; ; looks++) {
    const failures: string[] = [];
    const told = await once(async (call, limitMs) => {
      const why = await refused(ask, call, limitMs);
      if (why !== undefined) failures.push(why);
    }).catch((thrown: unknown) => {
      failures.push(wordsOf(thrown));
      return [];
    });
    if (failures.length === 0 || looks === MOST_LOOKS) return [...failures, ...told];
    await rest(betweenMs);
  }
}

/** One look at what was there before, and what puts it back. Answers with what cannot be done here at all. */
async function heal(ask: Ask, label: string, then: ReadonlyMap<string, Kept>, attempt: Attempt): Promise<string[]> {
  await unpauseAll(ask, label, attempt);
  const now = (await look(ask, label)).filter(({ id }) => then.has(id));
  const limited = now.filter(({ id, limits }) => isLimited(limits) && !isLimited(then.get(id)?.limits ?? {}));
  // Before anything is started: with too little memory it would be killed again.
  await Promise.all(
    limited.map(({ id }) => attempt({ method: 'POST', path: `/containers/${id}/update`, body: allGiven(then.get(id)?.limits.Memory ?? 0) }, RESUME_LIMIT_MS)),
  );
  const stopped = await Promise.all(now.filter(({ running }) => running).map(({ id }) => letGoOn(ask, id, attempt)));
  const ended = now.filter(({ id, running }) => !running && then.get(id)?.running);
  const address = ({ id }: Kept) => numeric(then.get(id)?.address ?? '');
  // The engine gives the lowest address that is free: one after the other, by the addresses that they had, so that each gets its own again, to which links lead.
  for (const { id } of ended.toSorted((a, b) => address(a) - address(b))) await attempt({ method: 'POST', path: `/containers/${id}/start` });
  return stopped.flat();
}

/** What was stopped by a signal goes on: the first process by the engine, those under it by a shell in the container, where there is one. */
async function letGoOn(ask: Ask, id: string, attempt: Attempt): Promise<string[]> {
  const isStopped = async () => {
    const { status, body } = await ask({ method: 'GET', path: `/containers/${id}/top?ps_args=${encodeURIComponent(PS_ARGUMENTS)}` });
    // An engine that cannot tell: a word too many does no harm.
    return status === 200 ? hasStopped(body as Top) : undefined;
  };
  const before = await isStopped();
  if (before === false) return [];
  await attempt({ method: 'POST', path: `/containers/${id}/kill?signal=SIGCONT` }, RESUME_LIMIT_MS);
  if (before === true && !(await isStopped())) return [];
  const { status, body } = await ask({ method: 'POST', path: `/containers/${id}/exec`, body: { Cmd: GO_ON, User: 'root' } });
  const why = status === 201 ? await refused(ask, { method: 'POST', path: `/exec/${(body as { Id: string }).Id}/start`, body: { Detach: true } }) : `${status}`;
  return why === undefined || before === undefined
    ? []
    : [`${id}: processes under the first may still be stopped, and no shell in it lets them go on (${why})`];
}

/** Undefined when it is gone by now. */
async function inspected(ask: Ask, id: string): Promise<Kept | undefined> {
  const { status, body } = await ask({ method: 'GET', path: `/containers/${id}/json` });
  if (status === 404) return undefined;
  if (status !== 200) throw new Error(`the engine does not tell of container ${id}: ${status}`);
  const { Id, State, HostConfig, NetworkSettings } = body as Inspected;
  const { CpuQuota, NanoCpus, Memory, MemorySwap } = HostConfig ?? {};
  const address = Object.values(NetworkSettings.Networks ?? {})[0]?.IPAddress ?? '';
  return { id: Id, running: State.Running, address, limits: { CpuQuota, NanoCpus, Memory, MemorySwap } };
}

/** '172.20.0.9' comes before '172.20.0.10'. */
function numeric(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

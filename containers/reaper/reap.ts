/**
 * What is done for a run that is dead: what is paused goes on, and then everything that bears its label is removed.
 *
 * In this order, because a removal can take long or fail, and a fault must not outlive its run for it. An engine that does not answer now may answer at the next look.
 */
import type { Ask, Call } from './engine.ts';

/** Looks until two in a row have found nothing, since a container may be in the making; so many at the most. */
export const MOST_LOOKS = 20;
const QUIET_LOOKS = 2;
export const BETWEEN_LOOKS_MS = 300;
/** For a node to go on, ms: every fault ends within ten seconds. */
export const RESUME_LIMIT_MS = 1_500;

/** `label`: what everything of the run bears, as 'key=value'. Answers with what did not work at the last look, a line each. */
export async function reap(ask: Ask, label: string, betweenMs = BETWEEN_LOOKS_MS): Promise<string[]> {
  let failures: string[] = [];
  for (let looks = 0, quiet = 0; looks < MOST_LOOKS && quiet < QUIET_LOOKS; looks++) {
    if (looks > 0) await rest(betweenMs);
    failures = [];
    const seen = await removeSeen(ask, label, failures);
    quiet = seen === 0 && failures.length === 0 ? quiet + 1 : 0;
  }
  return failures;
}

/** One look; answers with how much there was. What does not work is added to `failures`. */
async function removeSeen(ask: Ask, label: string, failures: string[]): Promise<number> {
  const attempt = async (call: Call, limitMs?: number) => {
    const why = await refused(ask, call, limitMs);
    if (why !== undefined) failures.push(why);
  };
  try {
    await unpauseAll(ask, label, attempt);
    const containers = await found(ask, 'containers/json?all=1', label);
    await Promise.all(containers.map((id) => attempt({ method: 'DELETE', path: `/containers/${id}?force=1&v=1` })));
    const [networks, volumes] = await Promise.all([found(ask, 'networks', label), found(ask, 'volumes', label)]);
    await Promise.all(networks.map((id) => attempt({ method: 'DELETE', path: `/networks/${id}` })));
    await Promise.all(volumes.map((name) => attempt({ method: 'DELETE', path: `/volumes/${encodeURIComponent(name)}?force=1` })));
    return containers.length + networks.length + volumes.length;
  } catch (thrown) {
    failures.push(wordsOf(thrown));
    return 0;
  }
}

/** What is paused goes on. Throws where the engine does not tell what is. */
export async function unpauseAll(ask: Ask, label: string, attempt: (call: Call, limitMs?: number) => Promise<void>): Promise<void> {
  const paused = await found(ask, 'containers/json?all=1', label, { status: ['paused'] });
  await Promise.all(paused.map((id) => attempt({ method: 'POST', path: `/containers/${id}/unpause` }, RESUME_LIMIT_MS)));
}

/** Why something was not done, in a line; undefined when it was. */
export async function refused(ask: Ask, call: Call, limitMs?: number): Promise<string | undefined> {
  try {
    const { status, body } = await ask(call, limitMs);
    // Gone, being removed, or already as it should be.
    return status < 400 || [404, 409].includes(status) ? undefined : `${call.method} ${call.path}: ${status} ${messageIn(body)}`;
  } catch (thrown) {
    return `${call.method} ${call.path}: ${wordsOf(thrown)}`;
  }
}

/** Ids (names, of volumes) of what bears the label. */
export async function found(ask: Ask, list: string, label: string, more: Readonly<Record<string, readonly string[]>> = {}): Promise<string[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [label], ...more }));
  const { status, body } = await ask({ method: 'GET', path: `/${list}${list.includes('?') ? '&' : '?'}filters=${filters}` });
  if (status !== 200) throw new Error(`the engine does not list ${list}: ${status} ${messageIn(body)}`);
  const rows = (Array.isArray(body) ? body : ((body as { Volumes?: unknown[] | null }).Volumes ?? [])) as { Id?: string; Name?: string }[];
  return rows.flatMap(({ Id, Name }) => Id ?? Name ?? []);
}

export function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export function wordsOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

function messageIn(body: unknown): string {
  return typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : String(body);
}

/** One question for a name, to whom every program in this network namespace asks, and how it ended. */
import { promises } from 'node:dns';

export interface Lookup {
  readonly name: string;
  readonly patienceMs: number;
}

type Kind = 'servfail' | 'nxdomain' | 'silence';

/** The resolver's words for how a question can end without an address. */
const ENDINGS: Readonly<Record<string, Kind>> = { ESERVFAIL: 'servfail', ENOTFOUND: 'nxdomain', ETIMEOUT: 'silence', ECANCELLED: 'silence' };

/** Rejects for an ending that is none of a name service's, such as a server that refuses. */
export async function resolve({ name, patienceMs }: Lookup): Promise<{ kind: 'address'; addresses: string[]; ms: number } | { kind: Kind; ms: number }> {
  // A new one each time: it remembers neither answers nor servers that were slow. One try, or the second would tell of a first that went unanswered.
  const resolver = new promises.Resolver({ timeout: patienceMs, tries: 1 });
  const timer = setTimeout(() => resolver.cancel(), patienceMs);
  const askedAt = performance.now();
  try {
    const addresses = await resolver.resolve4(name);
    return { kind: 'address', addresses, ms: performance.now() - askedAt };
  } catch (thrown) {
    const kind = ENDINGS[(thrown as NodeJS.ErrnoException).code ?? ''];
    if (kind === undefined) throw thrown;
    return { kind, ms: performance.now() - askedAt };
  } finally {
    clearTimeout(timer);
  }
}

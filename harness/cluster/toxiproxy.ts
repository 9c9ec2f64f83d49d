/**
 * The links of a cluster: one Toxiproxy proxy each, all in one Toxiproxy container.
 *
 * Every call has a time limit of its own: a fault that cannot be healed has to be said, not waited for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ICreateProxyBody, Toxiproxy, type Proxy as ToxiproxyProxy, type Toxic as ToxiproxyToxic } from 'toxiproxy-node-client';
import { EnvironmentError, InputError, messageOf } from '../core/errors.ts';
import { once } from '../core/once.ts';
import type { LinkLease } from './link-lease.ts';
import type { Disturbance } from './types.ts';

/** What can be done to the bytes of a link. `downstream` are the answers, `upstream` the requests. */
export type Toxic = { readonly stream: 'upstream' | 'downstream' } & (
  | { readonly type: 'latency'; readonly attributes: { readonly latency: number; readonly jitter: number } }
  /** With timeout 0 the bytes vanish and the connection stays, until the toxic is removed: then Toxiproxy closes it. */
  | { readonly type: 'timeout'; readonly attributes: { readonly timeout: number } }
  /** Closes the connection after so many ms: with a reset, but for those that were there before it. */
  | { readonly type: 'reset_peer'; readonly attributes: { readonly timeout: number } }
  /** Kilobytes (of 1,000 bytes) a second, for each connection. */
  | { readonly type: 'bandwidth'; readonly attributes: { readonly rate: number } }
  /** Holds back a close, ms. */
  | { readonly type: 'slow_close'; readonly attributes: { readonly delay: number } }
  /** Cuts what came at once into pieces of so many bytes, and waits so many microseconds after each. */
  | { readonly type: 'slicer'; readonly attributes: { readonly average_size: number; readonly size_variation: number; readonly delay: number } }
  /** Closes each connection once so many bytes have passed. */
  | { readonly type: 'limit_data'; readonly attributes: { readonly bytes: number } }
  /** A latency for a share (parts in a million) of the pieces: a toxic of ours, see containers/toxiproxy/slow_share.go. */
  | { readonly type: 'slow_share'; readonly attributes: { readonly latency: number; readonly jitter: number; readonly share: number } }
);

const CALL_LIMIT_MS = 5_000;

/**
 * Toxics that hold bytes back, or a close, are put to rest before they are removed. Removing one, Toxiproxy (2.12, link.go) hands on what the toxic still holds, 5 s for each piece that nobody
 * takes any more, and meanwhile the whole link takes no new connection. A proxy that gives up on a slow server leaves just that: closed connections with answers held for them, and six of six
 * heals then took longer than 5 s. A toxic that is drawn for no connection any more (its toxicity is 0) lets go of everything at once, so Toxiproxy sees who is gone, and there is nothing left to
 * hand on. Its dose stays as it was: to raise a rate in place ends Toxiproxy (see `change`). `timeout` is not put to rest, for what it swallowed is lost: its connections are to be closed.
 */
const HOLDING: ReadonlySet<Toxic['type']> = new Set(['latency', 'slow_share', 'bandwidth', 'slow_close', 'slicer']);
/** For what was held to be written, and for connections that are closed to be forgotten. */
const LETTING_GO_MS = 50;

/** Toxiproxy's API, as far as links need it. Errors name the link. */
export class LinkControl {
  readonly #api: Toxiproxy;
  readonly #lease: LinkLease;
  readonly #proxies = new Map<string, ToxiproxyProxy>();
  #toxics = 0;

  /** `url`: where the API answers, such as http://127.0.0.1:49153. */
  constructor(url: string, lease: LinkLease) {
    this.#api = new Toxiproxy(url);
    this.#lease = lease;
  }

  /** Waits until the API answers: its port is published before it listens. */
  async answers(): Promise<void> {
    const limit = performance.now() + CALL_LIMIT_MS;
    for (;;) {
      try {
        await limited(`asking for its version at ${this.#api.host}`, this.#api.getVersion());
        return;
      } catch (thrown) {
        if (performance.now() >= limit) throw thrown;
        await sleep(20);
      }
    }
  }

  /** Takes everything off all links. */
  async clear(): Promise<void> {
    await limited('taking everything off the links', this.#api.reset());
  }

  /** Opens all links at once, or moves those that are open to where they lead now. `listen` and `upstream` are host:port as Toxiproxy's own container sees them. */
  async open(links: readonly { name: string; listen: string; upstream: string }[]): Promise<void> {
    const bodies: ICreateProxyBody[] = links.map((link) => ({ name: apiName(link.name), listen: link.listen, upstream: link.upstream, enabled: true }));
    const proxies = await limited('opening the links', this.#api.populate(bodies));
    for (const link of links) this.#proxies.set(link.name, proxies[apiName(link.name)] as ToxiproxyProxy);
  }

  /** Adds a toxic. */
  poison(link: string, toxic: Toxic): Promise<Disturbance> {
    return this.#lent(async () => {
      let now = await this.#add(link, toxic);
      let dose = toxic;
      const resting: Added[] = [];
      const rest = (one: Added) => limited(`putting ${toxic.type} on ${link} to rest`, one.update({ ...one.toJson(), toxicity: 0 }));
      return {
        /**
         * Each connection lets go of the one piece that it holds at this moment, and gives the next ones the new dose.
         *
         * A higher rate is another toxic behind the old one, which is then put to rest and stays until the end. Raised in place, it is read anew by connections that are waiting in the middle
         * of a piece (bandwidth.go, and those too whose client is gone and that nobody can interrupt any more): they cut more from it than there is left, and Toxiproxy ends.
         */
        change: async (to) => {
          if (to.type !== toxic.type || to.stream !== toxic.stream)
            throw new InputError(`${toxic.type} on ${link} cannot become ${to.type} of what goes ${to.stream}`);
          if (to.type === 'bandwidth' && to.attributes.rate > (now.attributes as { readonly rate: number }).rate) {
            const before = now;
            now = await this.#add(link, to);
            resting.push(await rest(before));
          } else {
            now = await limited(`changing ${toxic.type} on ${link}`, now.update({ ...now.toJson(), attributes: to.attributes }));
          }
          dose = to;
        },
        undo: async () => {
          if (HOLDING.has(toxic.type)) {
            await rest(now);
            await sleep(LETTING_GO_MS);
          }
          for (const one of [now, ...resting]) await limited(`removing ${toxic.type} from ${link}`, one.remove());
        },
        missing: async () => {
          const held = (await this.#now(link))?.toxics.find(({ name }) => name === now.name);
          if (!held) return `Toxiproxy has no ${toxic.type} on ${link} any more`;
          return isSame(held, dose) ? undefined : `Toxiproxy has another ${toxic.type} on ${link} by now`;
        },
      };
    });
  }

  #add(link: string, { type, stream, attributes }: Toxic): Promise<Added> {
    const name = `aftershock-${++this.#toxics}`;
    // The client's list of types lacks ours.
    return limited(
      `adding ${type} on ${link}`,
      this.#proxy(link).addToxic<Toxic['attributes']>({ name, type: type as 'latency', stream, toxicity: 1, attributes }),
    );
  }

  /** Closes the link's door and all its connections. */
  cut(link: string): Promise<Disturbance> {
    return this.#lent(async () => {
      await this.#enable(link, false);
      return {
        undo: () => this.#enable(link, true),
        missing: async () => ((await this.#now(link))?.enabled === false ? undefined : `${link} is open again, or nothing of Toxiproxy's any more`),
      };
    });
  }

  /** What Toxiproxy says of a link at this moment, undefined when it knows of none; the client leaves its toxics out. */
  #now(link: string): Promise<LinkState | undefined> {
    const ask = async () => {
      const answer = await fetch(`${this.#api.host}/proxies/${apiName(link)}`);
      if (answer.status === 404) return undefined;
      if (!answer.ok) throw new EnvironmentError(`Toxiproxy answered ${answer.status} when telling of ${link}`);
      return (await answer.json()) as LinkState;
    };
    return limited(`telling of ${link}`, ask());
  }

  /** Does something to a link that ends by itself if we die before it was undone. */
  async #lent(act: () => Promise<Disturbance>): Promise<Disturbance> {
    const giveBack = this.#lease.take();
    try {
      const done = await act();
      return {
        ...done,
        undo: once(async () => {
          await done.undo();
          giveBack();
        }),
      };
    } catch (thrown) {
      giveBack();
      throw thrown;
    }
  }

  /** Points a link at a far end that has moved. Toxiproxy closes its connections. */
  async retarget(link: string, upstream: string): Promise<void> {
    const proxy = this.#proxy(link);
    this.#proxies.set(link, await limited(`moving ${link}`, proxy.update({ listen: proxy.listen, upstream, enabled: true })));
  }

  async #enable(link: string, enabled: boolean): Promise<void> {
    const proxy = this.#proxy(link);
    this.#proxies.set(
      link,
      await limited(`${enabled ? 'opening' : 'closing'} ${link}`, proxy.update({ listen: proxy.listen, upstream: proxy.upstream, enabled })),
    );
  }

  #proxy(link: string): ToxiproxyProxy {
    const proxy = this.#proxies.get(link);
    if (!proxy) throw new EnvironmentError(`no link '${link}' is open`);
    return proxy;
  }
}

type Added = ToxiproxyToxic<Toxic['attributes']>;

interface LinkState {
  readonly enabled: boolean;
  readonly toxics: readonly HeldToxic[];
}

interface HeldToxic {
  readonly name: string;
  readonly type: string;
  readonly stream: string;
  readonly toxicity: number;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** In force as it was put there: somebody else may have given it another dose. */
function isSame(held: HeldToxic, { type, stream, attributes }: Toxic): boolean {
  return (
    held.type === type && held.stream === stream && held.toxicity === 1 && Object.entries(attributes).every(([key, value]) => held.attributes[key] === value)
  );
}

/** The client does not escape names in its URLs: 'proxy-1 -> mc-3' becomes 'proxy-1--mc-3'. */
function apiName(link: string): string {
  return link.replace(/\s*->\s*/, '--');
}

async function limited<T>(what: string, call: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new EnvironmentError(`Toxiproxy did not answer within ${CALL_LIMIT_MS / 1_000} s when ${what}`)), CALL_LIMIT_MS);
  });
  try {
    return await Promise.race([call, limit]);
  } catch (thrown) {
    if (thrown instanceof EnvironmentError) throw thrown;
    throw new EnvironmentError(`Toxiproxy refused ${what}: ${messageOf(thrown)}`, { cause: thrown });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The links of a cluster: one Toxiproxy proxy each, all in one Toxiproxy container.
 *
 * Every call has a time limit of its own: a fault that cannot be healed has to be said, not waited for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ICreateProxyBody, Toxiproxy, type Proxy as ToxiproxyProxy } from 'toxiproxy-node-client';
import { EnvironmentError, messageOf } from '../core/errors.ts';
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
);

const CALL_LIMIT_MS = 5_000;

/**
 * What a toxic becomes before it is removed. Removing one, Toxiproxy (2.12, link.go) hands on what the toxic still holds, 5 s for each piece that nobody takes any more, and meanwhile
 * the whole link takes no new connection. A proxy that gives up on a slow server leaves just that: closed connections with answers held for them, and six of six heals
 * then took longer than 5 s. A toxic that no longer delays lets go of everything at once, so Toxiproxy sees who is gone, and there is nothing left to hand on.
 */
const HARMLESS: Partial<Record<Toxic['type'], Toxic['attributes']>> = { latency: { latency: 0, jitter: 0 } };
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

  /** Opens all links at once. `listen` and `upstream` are host:port as Toxiproxy's own container sees them. */
  async open(links: readonly { name: string; listen: string; upstream: string }[]): Promise<void> {
    const bodies: ICreateProxyBody[] = links.map((link) => ({ name: apiName(link.name), listen: link.listen, upstream: link.upstream, enabled: true }));
    const proxies = await limited('opening the links', this.#api.populate(bodies));
    for (const link of links) this.#proxies.set(link.name, proxies[apiName(link.name)] as ToxiproxyProxy);
  }

  /** Adds a toxic. */
  poison(link: string, toxic: Toxic): Promise<Disturbance> {
    return this.#lent(async () => {
      const name = `aftershock-${++this.#toxics}`;
      const added = await limited(
        `adding ${toxic.type} on ${link}`,
        this.#proxy(link).addToxic({ name, type: toxic.type, stream: toxic.stream, toxicity: 1, attributes: toxic.attributes }),
      );
      return {
        undo: async () => {
          const attributes = HARMLESS[toxic.type];
          if (attributes) {
            await limited(`ending ${toxic.type} on ${link}`, added.update({ ...added.toJson(), attributes }));
            await sleep(LETTING_GO_MS);
          }
          await limited(`removing ${toxic.type} from ${link}`, added.remove());
        },
        missing: async () =>
          (await this.#now(link)).toxics.some((one) => one.name === name) ? undefined : `Toxiproxy has no ${toxic.type} on ${link} any more`,
      };
    });
  }

  /** Closes the link's door and all its connections. */
  cut(link: string): Promise<Disturbance> {
    return this.#lent(async () => {
      await this.#enable(link, false);
      return {
        undo: () => this.#enable(link, true),
        missing: async () => ((await this.#now(link)).enabled ? `${link} is open again` : undefined),
      };
    });
  }

  /** What Toxiproxy says of a link at this moment; the client leaves its toxics out. */
  #now(link: string): Promise<LinkState> {
    const asked = fetch(`${this.#api.host}/proxies/${apiName(link)}`).then((answer) => answer.json() as Promise<LinkState>);
    return limited(`telling of ${link}`, asked);
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

interface LinkState {
  readonly enabled: boolean;
  readonly toxics: readonly { readonly name: string }[];
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

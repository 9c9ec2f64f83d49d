/** Where nodes and links answer: ports of links are fixed by the spec, addresses come as containers start. */
import { EnvironmentError } from '../core/errors.ts';
import { linkName } from '../core/names.ts';
import { fullName } from './names.ts';
import type { ClusterSpec, LinkSpec } from './spec.ts';

/** Links listen from here on inside Toxiproxy's container: out of the way of its API and of ephemeral ports (32768 and up). */
const FIRST_LINK_PORT = 20_001;

export class Addresses {
  readonly #spec: ClusterSpec;
  readonly #addressOf: (node: string) => string;
  /** Toxiproxy's own address on the run's network. */
  toxiproxy = '';

  /** `addressOf` tells a running node's address on the run's network, and throws for any other. */
  constructor(spec: ClusterSpec, addressOf: (node: string) => string) {
    this.#spec = spec;
    this.#addressOf = addressOf;
  }

  /** Where the near end of a link dials: host:port. */
  near(link: LinkSpec): string {
    return `${this.toxiproxy}:${this.port(link)}`;
  }

  /** Where a link leads: host:port. */
  far(link: LinkSpec): string {
    return `${this.#addressOf(link.to)}:${link.port}`;
  }

  port(link: LinkSpec): number {
    return FIRST_LINK_PORT + this.#spec.links.indexOf(link);
  }

  /** Fills `${link:a -> b}` with where a dials to reach b, an address or a name, and `${host:a}` with a's own address. */
  filled(text: string): string {
    return text
      .replace(/\$\{link:([^}]+)\}/g, (_, name: string) => {
        const isAsked = (candidate: LinkSpec) => linkName(candidate.from, candidate.to) === name;
        const named = this.#spec.byName?.find(isAsked);
        if (named) return `${fullName(named.to)}:${named.port}`;
        const link = this.#spec.links.find(isAsked);
        if (!link) throw new EnvironmentError(`a configuration speaks of link '${name}', which the cluster does not have`);
        return this.near(link);
      })
      .replace(/\$\{host:([^}]+)\}/g, (_, name: string) => this.#addressOf(name));
  }
}

/**
 * What a name stands for, to whom: the truth, and what single askers are told instead. Names are those of nodes under one domain, an asker is known by the address that he asks from, which
 * is a node's.
 */
import type { NameLie } from '../../harness/cluster/names.ts';
import { type Rcode, TYPE_A } from './message.ts';

/** What becomes of a question. `answer` is left out where none is ever sent. */
export interface Outcome {
  readonly answer?: { readonly rcode: Rcode; readonly address?: string };
  readonly afterMs: number;
}

interface Lie {
  readonly asker: string;
  readonly names: ReadonlySet<string>;
  readonly lie: NameLie;
}

export class View {
  readonly #domain: string;
  readonly #nodes: ReadonlySet<string>;
  /** Where nobody answers. */
  readonly #nobody: string;
  readonly #addresses = new Map<string, string>();
  readonly #lies = new Map<string, Lie>();

  /** `nodes`: all that there will be. */
  constructor(domain: string, nodes: readonly string[], nobody: string) {
    this.#domain = domain;
    this.#nodes = new Set(nodes);
    this.#nobody = nobody;
  }

  /** Addresses of nodes, by name: of those that are there now, and of those that have moved. */
  know(addresses: Readonly<Record<string, string>>): void {
    for (const [name, address] of Object.entries(addresses)) this.#addresses.set(name, address);
  }

  /** From now on the node `asker` is told this of the nodes `names`. */
  lie(id: string, asker: string, names: readonly string[], lie: NameLie): void {
    this.#lies.set(id, { asker, names: new Set(names), lie });
  }

  truth(id: string): void {
    this.#lies.delete(id);
  }

  truths(): void {
    this.#lies.clear();
  }

  get lies(): string[] {
    return [...this.#lies.keys()];
  }

  /** `from`: the address that the question came from; `name`: as it was asked, in lower case. */
  outcome(from: string, name: string, type: number): Outcome {
    const suffix = `.${this.#domain}`;
    // Nobody else's names are known here, and nobody is asked for them: a cluster needs nothing of the world outside.
    if (!name.endsWith(suffix)) return { answer: { rcode: 'refused' }, afterMs: 0 };
    const node = name.slice(0, -suffix.length);
    const told = [...this.#lies.values()].filter(({ asker, names }) => names.has(node) && this.#addresses.get(asker) === from).map(({ lie }) => lie);
    const afterMs = told.reduce((sum, lie) => sum + (lie.kind === 'late' ? lie.byMs : 0), 0);
    // Of several that contradict each other, the last one counts.
    const last = told.findLast((lie) => lie.kind !== 'late');
    if (last?.kind === 'none') return last.how === 'silence' ? { afterMs } : { answer: { rcode: last.how }, afterMs };
    if (!this.#nodes.has(node)) return { answer: { rcode: 'nxdomain' }, afterMs };
    const address = last?.kind === 'nobody' ? this.#nobody : this.#addresses.get(last?.kind === 'other' ? last.node : node);
    // A node that is still to come has a name and no address: that passes.
    if (address === undefined) return { answer: { rcode: 'servfail' }, afterMs };
    // There are no other records, such as IPv6 addresses (AAAA): the name is there, and has none of that type.
    return { answer: type === TYPE_A ? { rcode: 'ok', address } : { rcode: 'ok' }, afterMs };
  }
}

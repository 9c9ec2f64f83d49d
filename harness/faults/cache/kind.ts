/**
 * What all faults of a cache's contents have in common: they take away what it holds, straight and in its own words, in a moment. There is nothing to take back, so their time is the time for which
 * what follows is looked at, and they are healed when the cache keeps what is stored anew.
 */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Cluster, Contents, Node } from '../../cluster/types.ts';
import { ANSWERING, type Aspect, type FaultKind } from '../fault.ts';
import { nodeTarget } from '../fields.ts';
import { prepareProbed } from '../probed.ts';
import { PATIENCE_MS, tally } from '../probing.ts';
import { matchingNodes, misfitOf, namesOfMatching } from '../targets.ts';

/** Stored to be seen whether that is kept. */
const STORED_ANEW = 20;

interface OnCache {
  readonly kind: string;
  readonly node: string;
}

/** One target, and the keys of our own that were stored there to be missed. Nobody else knows them, so nobody stores them again. */
export interface Marked {
  readonly node: Node;
  readonly contents: Contents;
  readonly marks: readonly string[];
}

export interface CacheFault<F extends OnCache> extends Pick<FaultKind<F>, 'summary' | 'example'> {
  readonly kind: F['kind'];
  /** Its fields beside kind and node. */
  readonly fields?: z.ZodRawShape;
  /** What it is, for people, without its node: 'flush'. */
  phrase(fault: F): string;
  /** How many marks each target gets. */
  readonly marks: number;
  /** How many of them are to be gone. */
  goneOf(fault: F, marks: number): { readonly least: number; readonly most: number };
  /** What else has to be seen, in words. */
  readonly asked: (fault: F) => string;
  /** Takes away; answers with how to see, beside the marks, that this was done, and tell it. */
  takeAway(fault: F, target: Marked): Promise<Seen>;
}

/** Whether it is seen beside the marks, and what is seen. */
export type Seen = () => Promise<{ readonly holds: boolean; readonly told: string }>;

/** Changing what is stored also changes how long its answers take, but not those of probes, which ask for nothing that is stored. */
const ALTERS: readonly Aspect[] = ['contents'];
const NEEDS: readonly Aspect[] = [...ANSWERING, 'contents', 'process'];

export function cacheFault<F extends OnCache>({ kind, fields = {}, phrase, marks: count, goneOf, asked, takeAway, ...rest }: CacheFault<F>): FaultKind<F> {
  return {
    ...rest,
    kind,
    alters: ALTERS,
    needs: NEEDS,
    schema: z.strictObject({ kind: z.literal(kind), node: nodeTarget, ...fields }) as unknown as z.ZodType<F>,
    target: (fault) => ({ kind: 'node', pattern: fault.node }),
    describe: (fault) => `${phrase(fault)} ${fault.node}`,
    misfit: ({ node }, { nodes }) =>
      misfitOf(node, nodes, ({ contents }) => contents !== undefined, 'does not speak of what it holds, so nothing can be taken from it'),
    affects: (fault, cluster) => namesOfMatching(fault.node, cluster),
    provingMs: () => 1_000,
    // Throws for a node that cannot be asked.
    ready: async (fault, cluster) => {
      await Promise.all(matchingNodes(fault.node, cluster.nodes).map((node) => node.contents().counters()));
    },
    prepare: async (fault, cluster) => {
      const targets = await Promise.all(marked(fault, cluster, count));
      const of = new Map(targets.map((target) => [target.node.name, target]));
      const seen: Seen[] = [];
      let told = '';
      const gone = () => Promise.all(targets.map(async ({ contents, marks }) => marks.length - (await contents.count(marks))));
      const { least, most } = goneOf(fault, count);
      const prepared = await prepareProbed({
        targets: targets.map(({ node }) => node),
        patienceMs: PATIENCE_MS,
        disturb: async (node) => {
          const target = of.get(node.name) as Marked;
          seen.push(await takeAway(fault, target));
          return {
            undo: async () => undefined,
            missing: async () => {
              const back = (await target.contents.count(target.marks)) - (count - least);
              return back > 0 ? `of what was taken from ${node.name}, ${back} of ${least} marks are there again` : undefined;
            },
          };
        },
        asked: asked(fault),
        bites: async ({ all }) => {
          const counts = await gone();
          const looks = await Promise.all(seen.map((look) => look()));
          told = [`${counts.join(', ')} of ${count} marks gone`, ...looks.map((look) => look.told), `probes: ${tally(all)}`].join('; ');
          return counts.every((one) => one >= least && one <= most) && looks.every(({ holds }) => holds);
        },
        told: () => told,
        healed: {
          asked: 'what is stored anew is there',
          holds: async () => (await keptAnew(targets)).every((kept) => kept === STORED_ANEW),
          told: async () => `${(await keptAnew(targets)).join(', ')} of ${STORED_ANEW} kept`,
        },
      });
      return {
        ...prepared,
        close: async () => {
          await Promise.allSettled(targets.map(({ contents, marks }) => contents.drop(marks)));
          await prepared.close();
        },
      };
    },
  };
}

function marked(fault: OnCache, { nodes }: Cluster, count: number): Promise<Marked>[] {
  return matchingNodes(fault.node, nodes).map(async (node) => {
    const marks = keysOfOurOwn(count);
    const contents = node.contents();
    await contents.store(marks);
    return { node, contents, marks };
  });
}

/** Stores something new, and takes it away again. */
async function keptAnew(targets: readonly Marked[]): Promise<number[]> {
  return Promise.all(
    targets.map(async ({ contents }) => {
      const keys = keysOfOurOwn(STORED_ANEW);
      await contents.store(keys);
      const kept = await contents.count(keys);
      await contents.drop(keys);
      return kept;
    }),
  );
}

function keysOfOurOwn(count: number): string[] {
  const name = `aftershock-mark-${randomBytes(6).toString('hex')}`;
  return Array.from({ length: count }, (_, index) => `${name}-${index}`);
}

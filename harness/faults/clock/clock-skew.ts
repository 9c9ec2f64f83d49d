/**
 * clock-skew: the wall clocks of a node are ahead of the time, or behind it.
 *
 * On the wire: nothing; what a program puts into it that it took from its wall clock is wrong: dates, times of expiry, signatures that are good for a minute. A library that was loaded before the program
 * (libfaketime) answers it when it asks the C library for the time, from one second to the next, in all processes of the node, those that are started meanwhile included.
 *
 * It does not: touch monotonic clocks, timers, other nodes, or the times of files. Programs that go by a monotonic clock notice nothing: memcached asks for the wall clock at its start alone, so that neither
 * its items' expiry nor the time in its statistics follows, and it cannot be the target. twemproxy goes by the wall clock for its own timeouts: a step ahead ends the requests that it waits for, and
 * those that it waits for at a step back do not time out until that is made up for. Programs that are statically linked or ask the kernel themselves, as those in Go do (Toxiproxy, k6), cannot be reached.
 *
 * Proof: the node's own word for what time it is (its Date header, its statistics, or a program of its container where it is a client) lies so far from ours as was asked for, more than before the fault,
 * within 2 s; that of another node that tells is where it was.
 *
 * Needs: a node that was started for it (`skewable`), which costs it 56 ns each time that it asks for the time.
 *
 * Ends by itself: 9 s after the last word of its run, by a script in the node's own container; and at once when the node is started again. With that script killed it is lost, and is said to be; healing puts the clock right
 * without it, and a run that dies then leaves it wrong until the node is started again.
 */
import { z } from 'zod';
import type { Node } from '../../cluster/types.ts';
import { messageOf } from '../../core/errors.ts';
import { matches } from '../../core/names.ts';
import { type Duration, milliseconds } from '../../core/units.ts';
import type { FaultKind } from '../fault.ts';
import { nodeTarget } from '../fields.ts';
import { onAll, proof, until } from '../probing.ts';
import { matchingNodes, namesOfMatching } from '../targets.ts';

export interface ClockSkew {
  readonly kind: 'clock-skew';
  readonly node: string;
  readonly by: `${'+' | '-'}${Duration}`;
}

/** The wall clocks of the nodes are ahead by so much ('+1h'), or behind ('-90s'). */
export const clockSkew = (node: string, by: ClockSkew['by']): ClockSkew => ({ kind: 'clock-skew', node, by });

/**
 * Nodes may know whole seconds alone, cut off, before the fault and during it: the difference of two such readings is uncertain by 1 s either way. A Date header is up to another second old. So 2 s,
 * from which half of the least skew differs by 2.5 s.
 */
const TOLERANCE_MS = 2_000;
const LEAST_MS = 5_000;

const skewMs = (by: string) => (by.startsWith('-') ? -1 : 1) * milliseconds(by.slice(1));

const byField = z.string().superRefine((text, context) => {
  const refuse = (message: string) => context.addIssue({ code: 'custom', message });
  if (!/^[+-]/.test(text)) return refuse(`'${text}' does not say which way; write '+' or '-' and a duration, such as '+1h' or '-90s'`);
  try {
    const ms = Math.abs(skewMs(text));
    if (ms % 1_000 !== 0 || ms < LEAST_MS) refuse(`'${text}' is not allowed; write whole seconds, five or more, up to a day, such as '+1h' or '-90s'`);
  } catch (thrown) {
    refuse(messageOf(thrown).replace(/^duration: /, ''));
  }
});

export const clockSkewKind: FaultKind<ClockSkew> = {
  kind: 'clock-skew',
  summary: "a node's wall clocks are ahead of the time, or behind it",
  example: clockSkew('proxy-1', '+1h'),
  alters: ['clock'],
  needs: ['clock', 'process', 'connects', 'answers'],
  schema: z.strictObject({ kind: z.literal('clock-skew'), node: nodeTarget, by: byField }) as unknown as z.ZodType<ClockSkew>,
  target: ({ node }) => ({ kind: 'node', pattern: node, unprobed: true }),
  describe: ({ node, by }) => `clock skew ${by} on ${node}`,
  // It goes by what it has read for a second, and a Date header may be as old again.
  provingMs: () => 2_500,
  affects: ({ node }, cluster) => namesOfMatching(node, cluster),
  misfit: ({ node }, { nodes }) => {
    const fixed = nodes.find(({ name, skewable }) => matches(node, name) && !skewable);
    return fixed && `${fixed.name} was not started so that its clock can be put wrong; write skewable: '${node}' where the cluster is built`;
  },
  ready: async (fault, { nodes }) => {
    await Promise.all(tellers(fault, nodes).map((teller) => teller.clockOffsetMs()));
  },

  async prepare(fault, { nodes }) {
    const targets = matchingNodes(fault.node, nodes);
    const asked = tellers(fault, nodes);
    const read = () => Promise.all(asked.map((node) => node.clockOffsetMs()));
    const before = await read();
    const byMs = skewMs(fault.by);
    /** How far each clock lies from where it was, ms; and whether that is where it is to be: the first of them are the targets'. */
    const look = async (targetsMs: number) => {
      const offMs = (await read()).map((now, index) => now - (before[index] as number));
      const holds = offMs.every((off, index) => Math.abs(off - (index < targets.length ? targetsMs : 0)) <= TOLERANCE_MS);
      return { holds, told: asked.map(({ name }, index) => `${name} ${((offMs[index] as number) / 1_000).toFixed(1)} s`).join(', ') };
    };
    return {
      close: async () => undefined,
      async inject() {
        const inForce = await onAll(targets.map((node) => () => node.skewClock(byMs / 1_000)));
        return {
          ...inForce,
          prove: (limitMs) =>
            until(async () => {
              const { holds, told } = await look(byMs);
              return proof(holds, `${fault.by} on ${fault.node} alone`, told);
            }, limitMs),
          proveHealed: (limitMs) =>
            until(async () => {
              const { holds, told } = await look(0);
              return proof(holds, 'clocks as before', told);
            }, limitMs),
        };
      },
    };
  },
};

/** The targets, and one other node of which it is known that it tells: a client. */
function tellers({ node }: ClockSkew, nodes: readonly Node[]): Node[] {
  const other = nodes.find(({ name, role }) => role === 'client' && !matches(node, name));
  return [...matchingNodes(node, nodes), ...(other ? [other] : [])];
}

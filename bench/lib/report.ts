/**
 * Writes `bench/RESULTS.md` from what is kept of each measurement: a pure function, so that the words can change without measuring again.
 */
import type { Measurement } from './bench.ts';
import { adviceFor } from './install.ts';
import { QUIET_CORES } from './machine.ts';
import type { Peer } from './peers.ts';
import type { Head, Stored } from './store.ts';
import { short, table } from './table.ts';
import { type Target, targetTable, verdictOf } from './targets.ts';

export interface Told {
  readonly measurement: Measurement;
  readonly stored: Stored;
}

/** `unmeasured`: measurements of which nothing is kept. */
export function report(told: readonly Told[], peers: readonly Peer[], unmeasured: readonly string[] = []): string {
  const sections = told.map(({ measurement, stored }) => ({ measurement, head: stored.head, ...measurement.tell(stored.samples) }));
  const targets = sections.flatMap((section) => section.targets);
  return [
    '# Benchmarks: results',
    'Written by `npm run bench`. How to run it, how the figures are made and what they do not say: [docs/benchmarks.md](../docs/benchmarks.md). The rounds behind the tables are in `bench/rounds`.',
    '## Targets',
    `${summaryOf(targets)} The median of the rounds decides. Why some were not reached, with a profile and what was tried, is told in [docs/load-engine.md](../docs/load-engine.md) and in [decision 7](../docs/decisions/0007-the-load-engine.md).`,
    ...(unmeasured.length > 0 ? [`Never measured on this machine: ${unmeasured.map((name) => `\`npm run bench -- ${name}\``).join(', ')}.`] : []),
    targetTable(targets),
    ...sections.flatMap(({ measurement, head, text }) => [`## ${measurement.title}`, `\`npm run bench -- ${measurement.name}\`: ${circumstances(head)}`, text]),
    '## Peers',
    peerTable(
      peers.filter(({ name }) => sections.some(({ measurement }) => measurement.uses.includes(name))),
      sections.map(({ head }) => head),
    ),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n');
}

/** '18 of 24 targets reached, 4 not reached, 2 not measured.' */
export function summaryOf(targets: readonly Target[]): string {
  const count = (verdict: string): number => targets.filter((target) => verdictOf(target) === verdict).length;
  return `${count('reached')} of ${targets.length} targets reached, ${count('not reached')} not reached, ${count('not measured')} not measured.`;
}

function circumstances({ at, rounds, seconds, node, machine }: Head): string {
  const { cores, processor, system, kernel, busyCores } = machine;
  const quiet = busyCores <= QUIET_CORES ? 'quiet before' : `**not quiet before: ${short(busyCores)} cores were busy with other things**`;
  return `${at.slice(0, 16).replace('T', ' ')} UTC, up to ${rounds} ${rounds === 1 ? 'round' : 'rounds'} of ${short(seconds)} s; ${processor}, ${cores} cores, ${system}, Linux ${kernel}, Node ${node}; ${quiet}.`;
}

/** The version that each measurement had; 'not found' for those that none had. */
function peerTable(peers: readonly Peer[], heads: readonly Head[]): string {
  return table(
    ['peer', 'version'],
    peers.map((peer) => {
      const versions = [...new Set(heads.flatMap(({ peers: found }) => found[peer.name] ?? []))];
      return [peer.name, versions.length > 0 ? versions.join(', ') : `not found; ${adviceFor(peer)}`];
    }),
    [0, 1],
  );
}

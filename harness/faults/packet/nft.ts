/**
 * What nftables is told, as text for `nft -f -`. Each fault has a table of its own in the target's network namespace, and nothing else there is ever touched: the engine's own rules for
 * name service live in the same namespace.
 *
 * Every rule asks for an element of the set `lease`, which the kernel itself removes after `LEASE_S` seconds: a fault that nobody renews is gone, whoever has died.
 */

/** Renewed every two seconds. */
export const LEASE_S = 9;
const PROTOCOLS = ['tcp', 'udp'] as const;

/** Which way, as the target sees it: what comes to its port, or what leaves from it. */
export type Direction = 'in' | 'out';

export type CounterName = 'bitten' | 'passed';

export interface PacketRule {
  readonly direction: Direction;
  /** The target's port. */
  readonly port: number;
  /** Only what comes from this address, or goes to it. */
  readonly peer?: string;
  /** Matches beside direction, port and peer: 'ct state new'. */
  readonly matching?: string;
  /** Only what goes over this limit: 'ct count over 5'; with `perSource`, each address has one of its own. */
  readonly limit?: string;
  readonly perSource?: boolean;
  /** What becomes of them: 'drop', 'reject with tcp reset'. Left out, they are only counted. */
  readonly verdict?: string;
  /** By which counter they are told; 'bitten' when left out. */
  readonly counter?: CounterName;
  /** Only this share of them, 0 to 1. */
  readonly share?: number;
}

/** numgen draws from this many: a share of one in a million is the least that can be asked for. */
const DRAWN_FROM = 1_000_000;

/** The tables of a fault, with the lease not yet taken: nothing matches until `renewal`. `device` is where packets leave. */
export function tables(name: string, rules: readonly PacketRule[], device = 'eth0'): string {
  return directionsOf(rules)
    .map((direction) => table(name, direction, rules, device))
    .join('');
}

/** What leaves is dropped behind the socket, on its way to the device: dropped any earlier, the sender would be told of it as an error. */
function table(name: string, direction: Direction, rules: readonly PacketRule[], device: string): string {
  const hook = direction === 'in' ? 'type filter hook input priority 0' : `type filter hook egress device "${device}" priority 0`;
  const lines = linesOf(direction, rules);
  return [
    `table ${familyOf(direction)} ${name} {`,
    '  set lease { type inet_proto; flags timeout; }',
    // The rules that limit each source by itself keep what they know of it here.
    ...(rules.some((rule) => rule.perSource) ? ['  set sources { type ipv4_addr; flags dynamic; size 65535; }'] : []),
    '  counter bitten { }',
    '  counter passed { }',
    '  chain faulty {',
    `    ${hook}; policy accept;`,
    ...lines.map((line) => `    ${line}`),
    '  }',
    '}',
    '',
  ].join('\n');
}

function linesOf(direction: Direction, rules: readonly PacketRule[]): string[] {
  return rules.filter((rule) => rule.direction === direction).map(ruleText);
}

function ruleText({ direction, port, peer, matching = '', limit = '', perSource = false, verdict = '', share, counter = 'bitten' }: PacketRule): string {
  const [ourEnd, theirEnd] = direction === 'in' ? ['dport', 'saddr'] : ['sport', 'daddr'];
  const drawn = share === undefined || share >= 1 ? '' : `numgen random mod ${DRAWN_FROM} < ${Math.round(share * DRAWN_FROM)}`;
  const words = [
    'meta l4proto @lease',
    `th ${ourEnd} ${port}`,
    peer === undefined ? '' : `ip ${theirEnd} ${peer}`,
    matching,
    drawn,
    perSource ? `add @sources { ip saddr ${limit} }` : limit,
    `counter name ${counter}`,
    verdict,
  ];
  return words.filter((word) => word !== '').join(' ');
}

/** Other rules of the same directions in place of those in force, in one transaction: no packet passes between the ones and the others. */
export function replacement(name: string, rules: readonly PacketRule[]): string {
  return directionsOf(rules)
    .flatMap((direction) => {
      const chain = `${familyOf(direction)} ${name} faulty`;
      return [`flush chain ${chain}`, ...linesOf(direction, rules).map((line) => `add rule ${chain} ${line}`), ''];
    })
    .join('\n');
}

/** Takes the lease, or takes it anew: adding an element that is there leaves its time as it is, and deleting one that is not fails, so it is added, deleted and added. */
export function renewal(name: string, rules: readonly PacketRule[]): string {
  const lines = directionsOf(rules).flatMap((direction) => {
    const set = `${familyOf(direction)} ${name} lease`;
    return PROTOCOLS.flatMap((protocol) => [
      `add element ${set} { ${protocol} timeout ${LEASE_S}s }`,
      `delete element ${set} { ${protocol} }`,
      `add element ${set} { ${protocol} timeout ${LEASE_S}s }`,
    ]);
  });
  return `${lines.join('\n')}\n`;
}

/** Removes the tables; added first, so that it is no error when they are gone already. */
export function removal(name: string, rules: readonly PacketRule[]): string {
  return directionsOf(rules)
    .map((direction) => `add table ${familyOf(direction)} ${name}\ndelete table ${familyOf(direction)} ${name}\n`)
    .join('');
}

/** The first packet of a TCP connection. */
export const OPENING = 'tcp flags & (syn | ack) == syn';

export function directionsOf(rules: readonly PacketRule[]): Direction[] {
  return (['in', 'out'] as const).filter((direction) => rules.some((rule) => rule.direction === direction));
}

export function familyOf(direction: Direction): 'inet' | 'netdev' {
  return direction === 'in' ? 'inet' : 'netdev';
}

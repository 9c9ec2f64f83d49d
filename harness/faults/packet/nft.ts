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

export interface PacketRule {
  readonly direction: Direction;
  /** The port that the target serves. */
  readonly port: number;
  /** Matches beside direction and port: 'ct state new', 'ip saddr { 172.20.0.3 }'. */
  readonly matching?: string;
  /** What becomes of them: 'drop', 'reject with tcp reset'. */
  readonly verdict: string;
  /** Only this share of them, 0 to 1. */
  readonly share?: number;
}

/** numgen draws from this many: a share of one in a million is the least that can be asked for. */
const DRAWN_FROM = 1_000_000;

/** The tables of a fault, with the lease not yet taken: nothing matches until `renewal`. */
export function tables(name: string, rules: readonly PacketRule[]): string {
  return (['in', 'out'] as const)
    .filter((direction) => rules.some((rule) => rule.direction === direction))
    .map((direction) => table(name, direction, rules))
    .join('');
}

/** What leaves is dropped behind the socket, on its way to the device: dropped any earlier, the sender would be told of it as an error. */
function table(name: string, direction: Direction, rules: readonly PacketRule[]): string {
  const hook = direction === 'in' ? 'type filter hook input priority 0' : 'type filter hook egress device "eth0" priority 0';
  const lines = rules.filter((rule) => rule.direction === direction).map(ruleText);
  return [
    `table ${familyOf(direction)} ${name} {`,
    '  set lease { type inet_proto; flags timeout; }',
    '  counter bitten { }',
    '  chain faulty {',
    `    ${hook}; policy accept;`,
    ...lines.map((line) => `    ${line}`),
    '  }',
    '}',
    '',
  ].join('\n');
}

function ruleText({ direction, port, matching = '', verdict, share }: PacketRule): string {
  const drawn = share === undefined || share >= 1 ? '' : `numgen random mod ${DRAWN_FROM} < ${Math.round(share * DRAWN_FROM)}`;
  const words = ['meta l4proto @lease', `th ${direction === 'in' ? 'dport' : 'sport'} ${port}`, matching, drawn, 'counter name bitten', verdict];
  return words.filter((word) => word !== '').join(' ');
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

/** Counts datagrams with this mark at their beginning that have come as far as a program would get them: behind every fault. */
export function countingTable(name: string, mark: number): string {
  return [
    `table inet ${name} {`,
    '  counter come { }',
    '  chain arriving {',
    '    type filter hook input priority 300; policy accept;',
    `    meta l4proto udp @th,64,32 0x${mark.toString(16)} counter name come drop`,
    '  }',
    '}',
    '',
  ].join('\n');
}

export function directionsOf(rules: readonly PacketRule[]): Direction[] {
  return (['in', 'out'] as const).filter((direction) => rules.some((rule) => rule.direction === direction));
}

export function familyOf(direction: Direction): 'inet' | 'netdev' {
  return direction === 'in' ? 'inet' : 'netdev';
}

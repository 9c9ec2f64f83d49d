/**
 * How packets are led through a wire: rules of nftables at the device take them there, whole and with all their addresses, and they come out as if nothing had been. Like every fault's rules
 * they ask for an element of a set that the kernel removes by itself: a wire that nobody renews is passed by.
 *
 * Way in: from the device into the wire's one end, and out of the other, which has the device's hardware address, so that the kernel takes the packet for one that has just come.
 * Way out: into the wire, out of it, and on to the device with a mark that keeps it from being led around again.
 */
import { type Direction, LEASE_S } from '../nft.ts';

/** What is between the two ends of a wire is its driver's; a tun device is both ends at once. */
export interface Ends {
  readonly enter: string;
  readonly leave: string;
}

export interface Steering {
  /** The table, and what tells it from all others: an interface's name has room for 15 characters. */
  readonly name: string;
  readonly port: number;
  readonly ends: Partial<Record<Direction, Ends>>;
  readonly device?: string;
}

/** Nobody outside the namespace sees it. */
export const LED_ALREADY = '0x41660000';
const PROTOCOLS = ['tcp', 'udp'] as const;

/** Nothing is led anywhere until `renewal`. */
export function steering({ name, port, ends, device = 'eth0' }: Steering): string {
  const matching = (end: string) => `meta l4proto @lease th ${end} ${port} counter name bitten`;
  const chains = [
    ends.in && chain('coming', `ingress device "${device}"`, `${matching('dport')} fwd to "${ends.in.enter}"`),
    ends.out && chain('going', `egress device "${device}"`, `meta mark != ${LED_ALREADY} ${matching('sport')} fwd to "${ends.out.enter}"`),
    ends.out &&
      chain(
        'gone',
        `ingress device "${ends.out.leave}"`, // A device that is up has words of its own for its neighbours, which are not to get out.
        `meta l4proto { tcp, udp } th sport ${port} meta mark set ${LED_ALREADY} fwd to "${device}"`,
      ),
  ];
  const lines = ['  set lease { type inet_proto; flags timeout; }', '  counter bitten { }', ...chains.filter((one) => one !== undefined)];
  return `table netdev ${name} {\n${lines.join('\n')}\n}\n`;
}

function chain(name: string, hook: string, rule: string): string {
  return `  chain ${name} {\n    type filter hook ${hook} priority 0; policy accept;\n    ${rule}\n  }`;
}

/** Takes the lease, or takes it anew: see `nft.ts`. */
export function steeringRenewal(name: string, families: readonly string[] = ['netdev']): string {
  const lines = families.flatMap((family) =>
    PROTOCOLS.flatMap((protocol) => [
      `add element ${family} ${name} lease { ${protocol} timeout ${LEASE_S}s }`,
      `delete element ${family} ${name} lease { ${protocol} }`,
      `add element ${family} ${name} lease { ${protocol} timeout ${LEASE_S}s }`,
    ]),
  );
  return `${lines.join('\n')}\n`;
}

/** Added first, so that it is no error when it is gone already. */
export function steeringRemoval(name: string, families: readonly string[] = ['netdev']): string {
  return families.map((family) => `add table ${family} ${name}\ndelete table ${family} ${name}\n`).join('');
}

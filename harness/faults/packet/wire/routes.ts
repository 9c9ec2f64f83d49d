/**
 * How packets are led through a wire on a kernel whose nftables cannot send a packet into a device (no 'fwd', as under Docker Desktop on Windows); IPv4 only, and only with the driver tun.
 *
 * Way in: the program reads a copy of each packet that the device receives for the port, and the packet itself is dropped behind it. What the program lets go comes out of the wire, which has the
 * device's hardware address.
 * Way out: a mark routes packets into the wire, and the program sends them again under another mark. When the program is gone, so is that route, and packets take the usual one.
 *
 * The rules ask for elements that the kernel ends by itself, as all the others do. For some milliseconds at its beginning and at its end packets may come twice.
 */
import type { Direction } from '../nft.ts';
import { type Ends, LED_ALREADY, type Steering } from './steering.ts';

/** Families of its tables. */
export function routesFamilies(ends: Partial<Record<Direction, Ends>>): string[] {
  return [...(ends.in ? ['netdev'] : []), ...(ends.out ? ['ip'] : [])];
}

/** Nothing is dropped or led anywhere until the lease is taken. `number` is the wire's own. */
export function routesSteering({ name, port, ends, device = 'eth0' }: Steering, number: number): string {
  const table = (family: string, hook: string, rule: string) =>
    `table ${family} ${name} {\n  set lease { type inet_proto; flags timeout; }\n  counter bitten { }\n  chain led {\n    ${hook}; policy accept;\n    ${rule}\n  }\n}\n`;
  const coming = `meta protocol ip meta l4proto @lease th dport ${port} counter name bitten drop`;
  const going = `meta mark != ${LED_ALREADY} meta l4proto @lease th sport ${port} counter name bitten meta mark set ${markOf(number)}`;
  return [
    ends.in ? table('netdev', `type filter hook ingress device "${device}" priority 0`, coming) : '',
    ends.out ? table('ip', 'type route hook output priority 0', going) : '',
  ].join('');
}

/** Routes what bears the mark into the wire. The rule finds nothing once the wire is gone. */
export function routesMake({ out }: Partial<Record<Direction, Ends>>, number: number): string[][] {
  if (!out) return [];
  const table = String(tableOf(number));
  return [
    ['ip', 'route', 'add', 'default', 'dev', out.enter, 'table', table],
    ['ip', 'rule', 'add', 'fwmark', markOf(number), 'lookup', table, 'priority', table],
  ];
}

export function routesRemove({ out }: Partial<Record<Direction, Ends>>, number: number): string[][] {
  return out ? [['ip', 'rule', 'del', 'fwmark', markOf(number), 'lookup', String(tableOf(number))]] : [];
}

function markOf(number: number): string {
  return `0x${(Number(LED_ALREADY) + 1 + (number % 60_000)).toString(16)}`;
}

/** Also its rule's priority: before 32,766, which is the main table's. */
function tableOf(number: number): number {
  return 20_000 + (number % 10_000);
}

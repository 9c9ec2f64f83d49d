/**
 * What a process in a container may hold, as the engine's own kernel tells it from inside one: no answer of the Engine API has it, and this
 * machine's limits are another's. The look is a container without a network that removes itself: 0.4 s.
 */
import { EnvironmentError } from '../core/errors.ts';
import type { Engine } from './engine.ts';
import { runLabels } from './labels.ts';

/** Limits of a container that is started without asking for others. Undefined where the kernel does not tell. */
export interface InsideLimits {
  /** Descriptors that one process may hold: as it starts, and what it may raise that to. */
  readonly softDescriptors: number;
  readonly hardDescriptors: number;
  /** Connections that one address can have to one other address and port. */
  readonly ports: number;
  /** Connections that the kernel keeps track of at once, over the whole host. */
  readonly trackedConnections?: number;
  readonly bootId?: string;
}

const LIMITS = '/proc/self/limits';
const PORTS = '/proc/sys/net/ipv4/ip_local_port_range';
const TRACKED = '/proc/sys/net/netfilter/nf_conntrack_max';
const BOOT = '/proc/sys/kernel/random/boot_id';

/** Throws EnvironmentError when the engine does not have the image, or when nothing is to be seen in it. */
export async function lookInside({ docker }: Engine, image: string): Promise<InsideLimits> {
  try {
    const container = await docker.createContainer({
      Image: image,
      // It names the file before each line, and is silent about files that are not there.
      Entrypoint: ['grep', '-sH', ''],
      Cmd: [LIMITS, PORTS, TRACKED, BOOT],
      // A terminal joins the output to one plain stream.
      Tty: true,
      AttachStdout: true,
      Labels: runLabels('look'),
      NetworkDisabled: true,
      HostConfig: { AutoRemove: true },
    });
    const stream = await container.attach({ stream: true, stdout: true });
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    const ended = new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject));
    await container.start();
    await ended;
    return limitsIn(Buffer.concat(chunks).toString('utf8'), image);
  } catch (thrown) {
    if ((thrown as { statusCode?: number }).statusCode !== 404) throw thrown;
    throw new EnvironmentError(`the engine does not have the image ${image}; type: npm run setup`, { cause: thrown });
  }
}

/** Lines of 'path:text', as grep writes them. */
export function limitsIn(text: string, image = 'its image'): InsideLimits {
  const lines = text.split(/\r?\n/);
  const of = (path: string) => lines.filter((line) => line.startsWith(`${path}:`)).map((line) => line.slice(path.length + 1));
  // 'Max open files            20000                20000                files': the soft limit, then the hard one.
  const [, soft, hard] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(of(LIMITS).join('\n')) ?? [];
  const [first, last] = (of(PORTS)[0] ?? '').split(/\s+/).map(Number);
  if (soft === undefined || hard === undefined) throw new EnvironmentError(`a container of ${image} tells nothing of its limits`);
  const tracked = Number(of(TRACKED)[0] ?? 0);
  const bootId = of(BOOT)[0];
  return {
    softDescriptors: limit(soft),
    hardDescriptors: limit(hard),
    // The kernel's own default, where a container may not look.
    ports: first && last ? last - first + 1 : 28_232,
    ...(tracked > 0 && { trackedConnections: tracked }),
    ...(bootId === undefined ? {} : { bootId }),
  };
}

function limit(text: string): number {
  return text === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(text);
}

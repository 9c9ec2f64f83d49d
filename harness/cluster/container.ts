/**
 * One node's container, started by Testcontainers from its spec.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { HostConfig } from 'dockerode';
import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers';
import { EnvironmentError, messageOf } from '../core/errors.ts';
import type { NodeSpec } from './spec.ts';

/** Where a node's container belongs. */
export interface Placement {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The run's network, or 'container:<id>' to share a node's. */
  readonly network: string;
  /** Its short name on that network. */
  readonly alias?: string;
  /** It has a stdin, which never ends. */
  readonly stdin?: boolean;
  /** Where its programs ask for names that the engine does not know; as the engine has it when left out. */
  readonly dns?: string;
  /** A path of the engine's host to lay into it: 'from:to'. */
  readonly bind?: string;
  /** Capabilities that it has, all others taken away: 'NET_ADMIN'. Left out, it has the engine's usual ones. */
  readonly capabilities?: readonly string[];
  /** A device of the engine's host that it has under the same name: '/dev/net/tun'. */
  readonly device?: string;
  /** 'container:<id>' to see that container's processes. */
  readonly pid?: string;
  /** Publish this port on the engine's host (loopback only, where the engine is local). */
  readonly publish?: { readonly port: number; readonly loopbackOnly: boolean };
}

export interface Started {
  readonly id: string;
  /** Its address on the run's network; empty when it shares another's. */
  readonly address: string;
  /** Where the published port answers, as host:port. */
  readonly published?: string;
}

/** The project's root, from which node sources are laid into containers. */
const ROOT = join(import.meta.dirname, '..', '..');

/** Testcontainers' container with the two things of the engine that its builder does not offer: an alias without the default bridge, and loopback-only ports. */
class NodeContainer extends GenericContainer {
  place(placement: Placement, memoryMiB: number, tmpfs: NodeSpec['tmpfs'] = {}): this {
    this.autoCleanup = false;
    // Whether a node is ready is decided by answered requests through the whole path (see `start.ts`), not container by container.
    this.withName(placement.name).withLabels(placement.labels).withNetworkMode(placement.network).withWaitStrategy(Wait.forAll([]));
    const limits: HostConfig = { Memory: memoryMiB * 2 ** 20, LogConfig: { Type: 'json-file', Config: { 'max-size': '20m' } } };
    const { bind, capabilities, pid, dns } = placement;
    const confined = capabilities && { CapDrop: ['ALL'], CapAdd: [...capabilities] };
    Object.assign(
      this.hostConfig,
      limits,
      confined,
      pid !== undefined && { PidMode: pid },
      bind !== undefined && { Binds: [bind] },
      dns !== undefined && { Dns: [dns] },
    );
    const { device } = placement;
    if (device !== undefined) this.hostConfig.Devices = [{ PathOnHost: device, PathInContainer: device, CgroupPermissions: 'rw' }];
    // As the engine itself would have it, but for its size: anybody may write there.
    this.hostConfig.Tmpfs = Object.fromEntries(Object.entries(tmpfs).map(([path, mib]) => [path, `size=${mib}m,mode=1777`]));
    if (placement.stdin) this.createOpts.OpenStdin = true;
    if (placement.alias) this.createOpts.NetworkingConfig = { EndpointsConfig: { [placement.network]: { Aliases: [placement.alias] } } };
    if (placement.publish) {
      this.withExposedPorts(placement.publish.port);
      const [binding] = Object.values((this.hostConfig.PortBindings ?? {}) as Record<string, { HostIp?: string; HostPort: string }[]>).flat();
      if (binding && placement.publish.loopbackOnly) binding.HostIp = '127.0.0.1';
    }
    return this;
  }
}

/** Starts one container. Throws EnvironmentError naming the node. */
export async function startContainer(
  spec: Pick<NodeSpec, 'name' | 'image' | 'command' | 'environment' | 'sources' | 'memoryMiB' | 'tmpfs'> & {
    readonly files?: Readonly<Record<string, string | Buffer>>;
  },
  placement: Placement,
): Promise<Started> {
  const container = new NodeContainer(spec.image)
    .place(placement, spec.memoryMiB, spec.tmpfs)
    .withCommand([...spec.command])
    .withEnvironment(spec.environment ?? {});
  const files = Object.entries(spec.files ?? {}).map(([target, content]) => ({ target, content, mode: 0o644 }));
  if (files.length > 0) container.withCopyContentToContainer(files);
  const sources = (spec.sources ?? []).map((source) => ({ source: join(ROOT, source), target: `/aftershock/${source}` }));
  const missing = sources.find(({ source }) => !existsSync(source));
  if (missing) throw new EnvironmentError(`node ${spec.name}: its sources are not at ${missing.source}`);
  if (sources.length > 0) container.withCopyDirectoriesToContainer(sources);
  try {
    const started = await container.start();
    const published = placement.publish ? `${hostOf(started, placement.publish.loopbackOnly)}:${started.getMappedPort(placement.publish.port)}` : undefined;
    const address = placement.network.startsWith('container:') ? '' : started.getIpAddress(started.getNetworkNames()[0] ?? placement.network);
    return { id: started.getId(), address, ...(published === undefined ? {} : { published }) };
  } catch (thrown) {
    throw new EnvironmentError(`node ${spec.name} did not start from ${spec.image}: ${messageOf(thrown)}`, { cause: thrown });
  }
}

/**
 * What is published on the loopback address answers there. Testcontainers would name the bridge's gateway wherever it finds a `/.dockerenv`, which some
 * virtual machines have too.
 */
function hostOf(started: StartedTestContainer, loopbackOnly: boolean): string {
  return loopbackOnly ? '127.0.0.1' : started.getHost();
}

/**
 * The one place that reaches the container engine: Docker, Docker Desktop, Podman's socket, or a remote one.
 */
import { platform } from 'node:os';
import type { ContainerRuntimeClient } from 'testcontainers';
import { EnvironmentError, messageOf } from '../core/errors.ts';
import { type EngineAddress, findEngine } from './engine-address.ts';

export type Docker = ContainerRuntimeClient['container']['dockerode'];

/** What the engine says of itself and of the kernel that it runs on, which need not be this machine's. */
export interface EngineFacts {
  /** 'Docker', 'Podman'. */
  readonly name: string;
  readonly version: string;
  readonly apiVersion: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly cgroupVersion: string;
  readonly rootless: boolean;
  /** What it can hold containers to; a rootless engine with cgroup v1 can none of it. */
  readonly enforces: Readonly<Record<'processors' | 'memory' | 'freezing', boolean>>;
  readonly storageDriver: string;
  readonly operatingSystem: string;
  readonly kernel: string;
  /** As Debian and Go name it: 'amd64', 'arm64'. */
  readonly architecture: string;
  /** Reached without leaving this machine, so that a port published on its loopback can be reached from here. */
  readonly local: boolean;
}

export interface Engine extends EngineFacts {
  readonly address: EngineAddress;
  /** Where its socket lies on its own host, for a container that is to reach it: TESTCONTAINERS_DOCKER_SOCKET_OVERRIDE, or where we reach it by, or Docker's default. */
  readonly socket: string;
  /** The Engine API. */
  readonly docker: Docker;
}

/** What to type when no engine answers. */
export const NO_ENGINE =
  "no container engine answers; start Docker or Podman ('sudo systemctl start docker', or Docker Desktop), or name it in DOCKER_HOST; 'npm run setup' installs one on Debian and Ubuntu as root";

let connected: Promise<Engine> | undefined;

/**
 * The engine that `findEngine` finds, connected once per process. Throws EnvironmentError, within about 5 s, in one line that says what to type.
 *
 * From here on DOCKER_HOST names that engine, for Testcontainers and for child processes: otherwise Testcontainers would look for one by rules of
 * its own and could find another.
 */
export function connectEngine(): Promise<Engine> {
  connected ??= connect();
  return connected;
}

async function connect(): Promise<Engine> {
  const address = await findEngine();
  if (address === undefined) throw new EnvironmentError(NO_ENGINE);
  process.env['DOCKER_HOST'] = address.url;
  // A run takes down by label what it made, and `clean` what a dead run left; Testcontainers' reaper is an image that would have to be pulled first.
  process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
  // Testcontainers reads its settings when it is loaded, so it must not be loaded any earlier. It prints nothing unless DEBUG asks for it.
  const { getContainerRuntimeClient } = await import('testcontainers');
  try {
    const docker = (await getContainerRuntimeClient()).container.dockerode;
    return { ...(await engineFacts(address)), address, socket: socketOf(address), docker };
  } catch (thrown) {
    throw new EnvironmentError(`the container engine at ${address.url} answers, but cannot be used (${messageOf(thrown)}); 'docker info' may say more`, {
      cause: thrown,
    });
  }
}

/** On macOS and Windows the engine is in a virtual machine, and the socket that we see is not the one that it has; a remote one has a socket of its own. */
function socketOf({ url }: EngineAddress): string {
  const here = platform() === 'linux' ? /^unix:\/\/(.+)$/.exec(url)?.[1] : undefined;
  return process.env['TESTCONTAINERS_DOCKER_SOCKET_OVERRIDE'] ?? here ?? '/var/run/docker.sock';
}

/** Asks the engine for its facts. Throws when it does not answer. */
export async function engineFacts(address: EngineAddress): Promise<EngineFacts> {
  const [version, info] = (await Promise.all([fetched(address, '/version'), fetched(address, '/info')])) as [Partial<VersionAnswer>, Partial<InfoAnswer>];
  const components = (version.Components ?? []).map(({ Name }) => Name);
  const rootless = (info.SecurityOptions ?? []).some((option) => option.includes('name=rootless'));
  return {
    name: components.some((name) => name.includes('Podman')) ? 'Podman' : 'Docker',
    version: version.Version ?? 'unknown',
    apiVersion: version.ApiVersion ?? 'unknown',
    cpus: info.NCPU ?? 0,
    memoryBytes: info.MemTotal ?? 0,
    cgroupVersion: info.CgroupVersion ?? '1',
    rootless,
    // An engine that does not say is taken to do what engines do.
    enforces: {
      processors: info.CpuCfsQuota ?? true,
      memory: info.MemoryLimit ?? true,
      freezing: !(rootless && info.CgroupVersion === '1'),
    },
    storageDriver: info.Driver ?? 'unknown',
    operatingSystem: info.OperatingSystem ?? 'unknown',
    kernel: info.KernelVersion ?? 'unknown',
    architecture: architecture(info.Architecture ?? version.Arch ?? 'unknown'),
    local: address.local,
  };
}

async function fetched(address: EngineAddress, path: string): Promise<unknown> {
  const { status, body } = await address.get(path);
  if (status !== 200) throw new Error(`the engine answered ${status} to GET ${path}`);
  return body;
}

/** The kernel's name of an architecture to Debian's and Go's. */
function architecture(machine: string): string {
  return { x86_64: 'amd64', aarch64: 'arm64' }[machine] ?? machine;
}

interface VersionAnswer {
  Version: string;
  ApiVersion: string;
  Arch: string;
  Components: { Name: string }[];
}

interface InfoAnswer {
  NCPU: number;
  MemTotal: number;
  CgroupVersion: string;
  CpuCfsQuota: boolean;
  MemoryLimit: boolean;
  SecurityOptions: string[];
  Driver: string;
  OperatingSystem: string;
  KernelVersion: string;
  Architecture: string;
}

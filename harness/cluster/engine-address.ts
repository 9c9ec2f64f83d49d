/**
 * Where a container engine answers, and plain questions to it over its HTTP API.
 *
 * Looking for the engine and asking which images it has takes a few milliseconds here; loading Testcontainers takes a third of a second, and
 * several from a cold disk, which a set-up with nothing to do should not pay.
 */
import { existsSync, readFileSync } from 'node:fs';
import { request as requestOverHttp } from 'node:http';
import { request as requestOverHttps } from 'node:https';
import { homedir, platform } from 'node:os';
import { join } from 'node:path';
import { EnvironmentError, messageOf } from '../core/errors.ts';

/** An engine on this machine answers a ping in milliseconds, one across a network in tens of them. */
const PATIENCE_MS = 4_000;

export interface EngineAddress {
  /** As DOCKER_HOST says it: 'unix:///var/run/docker.sock', 'tcp://10.0.0.1:2375'. */
  readonly url: string;
  /** Reached without leaving this machine. The engine may still run in a virtual machine of its own. */
  readonly local: boolean;
  /** Answers a GET of the engine's API: the status, and the body as parsed JSON (or as text where it is none). */
  get(path: string): Promise<{ status: number; body: unknown }>;
}

/**
 * The first engine that answers: DOCKER_HOST and nothing else where it is set, otherwise what `~/.testcontainers.properties` names, then the usual
 * sockets of Docker, Docker Desktop, Colima and Podman. Undefined when there is none. Throws EnvironmentError when the only one there does not let
 * this user in, and when DOCKER_HOST is set and does not answer: to use another engine than the one named would surprise.
 */
export async function findEngine(env: NodeJS.ProcessEnv = process.env): Promise<EngineAddress | undefined> {
  const named = env['DOCKER_HOST'];
  if (named) {
    const address = engineAt(named, env, 'DOCKER_HOST');
    try {
      await ping(address);
    } catch (thrown) {
      throw new EnvironmentError(
        `no container engine answers at DOCKER_HOST=${named} (${messageOf(thrown)}); start it, or use the engine of this machine: unset DOCKER_HOST`,
        { cause: thrown },
      );
    }
    return address;
  }
  let denied: string | undefined;
  for (const url of candidates(env)) {
    const address = engineAt(url, env, 'engine');
    try {
      await ping(address);
      return address;
    } catch (thrown) {
      // A socket file without an engine behind it is common (one that was stopped): the next one may answer.
      if ((thrown as NodeJS.ErrnoException).code === 'EACCES') denied ??= url;
    }
  }
  if (denied === undefined) return undefined;
  throw new EnvironmentError(`the container engine at ${denied} does not let this user in; type 'sudo usermod -aG docker $USER' and log in again`);
}

/** The engine at a URL in the form of DOCKER_HOST, whether it answers or not. `key` names the setting in errors. Throws EnvironmentError. */
export function engineAt(url: string, env: NodeJS.ProcessEnv = process.env, key = 'DOCKER_HOST'): EngineAddress {
  const [, scheme, rest] = /^(unix|npipe|tcp|http|https):\/\/(.+)$/.exec(url) ?? [];
  if (scheme === undefined || rest === undefined) {
    const advice = url.startsWith('ssh:') ? '; over ssh, forward its socket (ssh -L /tmp/engine.sock:/var/run/docker.sock HOST) and name that' : '';
    throw new EnvironmentError(`${key}='${url}' cannot be used; write unix:///PATH, npipe:////./pipe/NAME or tcp://HOST:PORT${advice}`);
  }
  if (scheme === 'unix' || scheme === 'npipe') return { url, local: true, get: (path) => ask(requestOverHttp, { socketPath: rest }, path) };
  const { hostname, port } = parsedUrl(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const certificates = env['DOCKER_TLS_VERIFY'] === '1' ? env['DOCKER_CERT_PATH'] : undefined;
  const local = ['localhost', '::1'].includes(host) || host.startsWith('127.');
  if (certificates === undefined && scheme !== 'https') {
    return { url, local, get: (path) => ask(requestOverHttp, { host, port: port || '2375' }, path) };
  }
  const tls = certificates ? Object.fromEntries(['ca', 'cert', 'key'].map((part) => [part, certificate(join(certificates, `${part}.pem`))])) : {};
  return { url, local, get: (path) => ask(requestOverHttps, { host, port: port || '2376', ...tls }, path) };
}

/** Sockets to try, most likely first, that exist on this machine. */
function candidates(env: NodeJS.ProcessEnv): string[] {
  if (platform() === 'win32') return ['npipe:////./pipe/docker_engine'];
  const home = homedir();
  const runtime = env['XDG_RUNTIME_DIR'] ?? `/run/user/${process.getuid?.() ?? 0}`;
  const sockets = [
    '/var/run/docker.sock',
    join(runtime, 'docker.sock'),
    join(home, '.docker/run/docker.sock'),
    join(home, '.docker/desktop/docker.sock'),
    join(home, '.colima/default/docker.sock'),
    join(runtime, 'podman/podman.sock'),
    '/run/podman/podman.sock',
  ].filter((path) => existsSync(path));
  return [...namedByTestcontainers(home), ...sockets.map((path) => `unix://${path}`)];
}

/** What a user of Testcontainers may have set for all projects: `docker.host` in ~/.testcontainers.properties. */
function namedByTestcontainers(home: string): string[] {
  const file = join(home, '.testcontainers.properties');
  if (!existsSync(file)) return [];
  const match = /^\s*docker\.host\s*[=:]\s*(\S+)/m.exec(readFileSync(file, 'utf8'));
  return match?.[1] === undefined ? [] : [match[1].replaceAll('\\:', ':')];
}

async function ping(address: EngineAddress): Promise<void> {
  const { status, body } = await address.get('/_ping');
  if (status !== 200) throw new Error(`it answered ${status}: ${typeof body === 'string' ? body : JSON.stringify(body)}`);
}

type Requester = typeof requestOverHttp | typeof requestOverHttps;

function ask(requester: Requester, at: Record<string, unknown>, path: string): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const request = requester({ ...at, path, headers: { host: 'engine' }, agent: false, signal: AbortSignal.timeout(PATIENCE_MS) }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: parsed(Buffer.concat(chunks).toString('utf8'), response.headers['content-type']) }),
      );
    });
    request.on('error', (error) =>
      reject(error.name === 'TimeoutError' || error.name === 'AbortError' ? new Error(`no answer within ${PATIENCE_MS / 1000} s`) : error),
    );
    request.end();
  });
}

function parsed(text: string, type: string | undefined): unknown {
  return type?.includes('json') ? JSON.parse(text) : text.trim();
}

function parsedUrl(url: string): URL {
  try {
    return new URL(url.replace(/^tcp:/, 'http:'));
  } catch (thrown) {
    throw new EnvironmentError(
      `'${url}' is no address of a container engine (${messageOf(thrown)}); write one such as unix:///var/run/docker.sock or tcp://127.0.0.1:2375`,
      { cause: thrown },
    );
  }
}

function certificate(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (thrown) {
    throw new EnvironmentError(`the engine's certificate ${path} cannot be read (${messageOf(thrown)}); DOCKER_CERT_PATH names the folder that holds it`, {
      cause: thrown,
    });
  }
}

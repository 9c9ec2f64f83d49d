/**
 * A cache node: one memcached, with a login (SASL) where one is wanted.
 *
 * ```ts
 * memcached('mc-1', { itemsMiB: 128, threads: 2, sasl: { user: 'app', password: 'secret' } })
 * ```
 */
import type { ContentsSpec, LoginSpec, NodeSpec, ProbeSpec } from '../../harness/cluster/spec.ts';
import { InputError, unknownName } from '../../harness/core/errors.ts';
import { wholeNumber } from '../counts.ts';
import { HEADER_BYTES, REQUEST, RESPONSE } from './binary-reader.ts';
import { type Credentials, loginRequest, OPCODE } from './binary-requests.ts';

export const MEMCACHED_PORT = 11211;

export interface MemcachedOptions {
  /** Most connections that it takes at once (-c): 1 to 65536. Default 1024. */
  readonly maxConnections?: number;
  /** Memory for items, MiB (-m): 2 to 65536. Default 64. */
  readonly itemsMiB?: number;
  /** The largest item with its key, bytes (-I): a multiple of 524288 and no more than half of the memory. Default 1048576. */
  readonly maxItemBytes?: number;
  /** Threads that serve connections (-t): 1 to 64. Default 1. */
  readonly threads?: number;
  /**
   * Only who logs in is served (-S), over the binary protocol; there is this one user. A user without '@' is of the container's own realm, which is memcached's
   * default; of 'app@realm' the part behind the '@' is the realm. Either way the name here is the one to log in with.
   */
  readonly sasl?: Credentials;
}

const OPTIONS: readonly string[] = ['maxConnections', 'itemsMiB', 'maxItemBytes', 'threads', 'sasl'] satisfies (keyof MemcachedOptions)[];
/** memcached cuts items into chunks of at most half a page of 1 MiB, and takes no limit that these do not divide. */
const CHUNK_BYTES = 524_288;
const MIB = 1_048_576;
/** What memcached puts around an item's key and value: a header of 48, its token for cas of 8, and three of line ends and a zero. Seen with 1.6.18: 524,288 take a value and key of 524,229. */
export const ITEM_BYTES = 59;

/** Throws InputError with one line that names the option. */
export function memcached(name: string, options: MemcachedOptions = {}): NodeSpec {
  const unknown = Object.keys(options).find((key) => !OPTIONS.includes(key));
  if (unknown !== undefined) throw unknownName('option of memcached', unknown, OPTIONS);
  const maxConnections = wholeNumber('maxConnections', options.maxConnections ?? 1024, 1, 65_536);
  // Below 2 MiB even the default limit on items is more than half of it.
  const itemsMiB = wholeNumber('itemsMiB', options.itemsMiB ?? 64, 2, 65_536);
  const maxItemBytes = wholeNumber('maxItemBytes', options.maxItemBytes ?? MIB, CHUNK_BYTES, Math.min(1_024 * MIB, (itemsMiB * MIB) / 2));
  if (maxItemBytes % CHUNK_BYTES !== 0) throw new InputError(`maxItemBytes: ${maxItemBytes} is not allowed; write a multiple of ${CHUNK_BYTES}`);
  const threads = wholeNumber('threads', options.threads ?? 1, 1, 64);
  const sasl = options.sasl === undefined ? undefined : checked(options.sasl);
  const limits = { '-m': itemsMiB, '-c': maxConnections, '-t': threads, ...(maxItemBytes === MIB ? {} : { '-I': maxItemBytes }) };
  const server = ['memcached', '-p', String(MEMCACHED_PORT), '-U', '0', ...Object.entries(limits).flatMap(([flag, limit]) => [flag, String(limit)])];
  if (sasl) server.push('-S');
  return {
    name,
    role: 'cache',
    image: 'aftershock/memcached:1.6',
    command: sasl ? ['sh', SCRIPT_PATH, ...userAndRealm(sasl.user), ...server] : server,
    ...(sasl ? { files: { ...SASL_FILES, [PASSWORD_PATH]: sasl.password } } : {}),
    port: MEMCACHED_PORT,
    probe: sasl ? MECHANISMS_PROBE : { send: 'version\r\n', expect: 'VERSION', bulky: { send: 'stats\r\n', ends: 'END\r\n' }, bye: 'quit\r\n' },
    ...(sasl ? { login: loginOf(sasl) } : { contents: CONTENTS }),
    // Items, plus what connections and the hash table take: about 64 MiB at the default 1,024 connections.
    memoryMiB: itemsMiB + 64,
    // Measured where four of them were asked 2,000/s together; and where one was busy all the time.
    needs: { mostConnections: maxConnections, storesMiB: itemsMiB, longestItemBytes: maxItemBytes - ITEM_BYTES, cpuUs: { quietUs: 41, busyUs: 8 } },
  };
}

/** Only of one without a login: the binary protocol lists no keys. */
const CONTENTS: ContentsSpec = {
  store: { send: 'set ${key} 0 0 1\r\n1\r\n', find: '^STORED' },
  ask: { send: 'get ${key}\r\n', find: '^VALUE ' },
  drop: { send: 'delete ${key}\r\n', find: '^(?:DELETED|NOT_FOUND)' },
  flush: { send: 'flush_all\r\n', find: '^OK' },
  // What follows on the same connection is not heard while it lists.
  list: { send: 'lru_crawler metadump all\r\n', find: '^key=(\\S+) ', escaped: true, ends: 'END\r\n' },
  items: { send: 'stats\r\n', find: '^STAT curr_items (\\d+)' },
  flushes: { send: 'stats\r\n', find: '^STAT cmd_flush (\\d+)' },
};

const SCRIPT_PATH = '/etc/aftershock/memcached-with-login.sh';
const PASSWORD_PATH = '/etc/aftershock/memcached-password';
const DATABASE_PATH = '/tmp/memcached-sasldb2';

const SASL_FILES: Readonly<Record<string, string>> = {
  '/etc/sasl2/memcached.conf': `mech_list: plain\npwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: ${DATABASE_PATH}\n`,
  [SCRIPT_PATH]: `# Makes the user that may log in, then becomes memcached: USER REALM COMMAND...
set -e
saslpasswd2 -p -c -f ${DATABASE_PATH} -a memcached -u "\${2:-$(hostname)}" "$1" < ${PASSWORD_PATH}
shift 2
exec "$@"
`,
};

/** The script that made the user gives it another password, too; in place of memcached it becomes nothing. */
function loginOf(sasl: Credentials): LoginSpec {
  const [user, realm] = userAndRealm(sasl.user);
  const head = `\\x${RESPONSE.toString(16)}\\x${OPCODE.saslAuth.toString(16)}`;
  return {
    path: PASSWORD_PATH,
    apply: ['sh', SCRIPT_PATH, user, realm, 'true'],
    // A header of 24 bytes, of which the seventh and eighth are the status, and words.
    right: { send: loginRequest(sasl).toString('latin1'), until: `${head}[^]{22}[^]*`, find: `^${head}[^]{4}\\x00\\x00` },
  };
}

/** The realm is empty where it is to be the container's own name. */
function userAndRealm(user: string): [string, string] {
  const at = user.indexOf('@');
  return at < 0 ? [user, ''] : [user.slice(0, at), user.slice(at + 1)];
}

function checked(sasl: Credentials): Credentials {
  const unknown = Object.keys(sasl).find((key) => key !== 'user' && key !== 'password');
  if (unknown !== undefined) throw unknownName('option of sasl', unknown, ['user', 'password']);
  if (!isText(sasl.user, /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}(@[A-Za-z0-9.-]{1,64})?$/))
    throw new InputError(
      `sasl.user: '${sasl.user}' is not allowed; write 1 to 64 letters, digits, '.', '_' or '-', the first no sign, and if need be '@' and a realm`,
    );
  if (!isText(sasl.password, /^[!-~]{1,128}$/)) throw new InputError('sasl.password: not allowed; write 1 to 128 characters of ASCII without spaces');
  return sasl;
}

function isText(value: unknown, form: RegExp): boolean {
  return typeof value === 'string' && form.test(value);
}

/**
 * Which mechanisms there are may be asked before a login, and the whole answer is known: a header that tells of five bytes, and 'PLAIN'. A noop is refused until
 * then, as is anything in the text protocol.
 */
const MECHANISMS_PROBE: ProbeSpec = {
  send: headerOf(REQUEST, OPCODE.saslList, 0),
  expect: headerOf(RESPONSE, OPCODE.saslList, 5),
  ends: 'PLAIN',
};

function headerOf(magic: number, opcode: number, bodyBytes: number): string {
  const header = Buffer.alloc(HEADER_BYTES);
  header[0] = magic;
  header[1] = opcode;
  header.writeUInt32BE(bodyBytes, 8);
  return header.toString('latin1');
}

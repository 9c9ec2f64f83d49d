/**
 * Questions to real memcached nodes through `ask.ts` and `ask-binary.ts`, held against a Map of what was stored. Runs in a client container: takes one line of settings on
 * stdin, and prints one line with what it saw.
 */
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { messageOf } from '../../harness/core/errors.ts';
import { type Random, seeded } from '../../harness/core/random.ts';
import { addressOf } from '../client/settings.ts';
import { askMemcached, type Found } from './ask.ts';
import { askMemcachedBinary } from './ask-binary.ts';
import type { Credentials } from './binary-requests.ts';

export interface AskingSettings {
  /** Without a login. */
  readonly open: string;
  /** Behind a login. */
  readonly closed: string;
  readonly auth: Credentials;
  readonly seed: number;
  readonly questions: number;
}

export interface AskingReport {
  readonly right: number;
  /** The first answers that were not as they must be. */
  readonly wrong: readonly string[];
  /** What was said to those who may not ask. */
  readonly refusals: Readonly<Record<string, string>>;
}

const SIZES = [0, 1, 2, 100, 2_048, 70_000, 1_000_000];
const KEYS = 20;

/** Bytes of any kind, line ends as well. */
function randomBytes(length: number, random: Random): Buffer {
  return Buffer.alloc(length, Buffer.from(Array.from({ length: 97 }, () => random.below(256))));
}

async function asked({ open, closed, auth, seed, questions }: AskingSettings): Promise<AskingReport> {
  const wrong: string[] = [];
  const refusals: Record<string, string> = {};
  let right = 0;
  const expectSame = (what: string, got: unknown, wanted: unknown) => {
    if (shown(got) === shown(wanted)) right++;
    else if (wrong.length < 5) wrong.push(`${what}: ${shown(got)}, not ${shown(wanted)}`);
  };
  const refused = async (what: string, question: () => Promise<unknown>) => {
    refusals[what] = await question().then(() => 'answered', messageOf);
  };
  const random = seeded(seed);
  using text = await askMemcached(addressOf(open, 'open'));
  using binary = await askMemcachedBinary(addressOf(open, 'open'));
  using inside = await askMemcachedBinary(addressOf(closed, 'closed'), { auth });

  await text.flushAll();
  const stored = new Map<string, { value: Buffer; flags: number }>();
  for (let question = 0; question < questions; question++) {
    const key = `asked:${random.below(KEYS)}`;
    const before = stored.get(key);
    const value = randomBytes(SIZES[random.below(SIZES.length)] as number, random);
    const flags = random.below(2 ** 32);
    const grown = before && before.value.length + value.length <= 1_000_000;
    switch (random.below(9)) {
      case 0:
        expectSame(`set ${key}`, await text.set(key, value, { flags }), 'stored');
        stored.set(key, { value, flags });
        break;
      case 1:
        expectSame(`add ${key}`, await text.add(key, value, { flags }), before ? 'not stored' : 'stored');
        if (!before) stored.set(key, { value, flags });
        break;
      case 2:
        expectSame(`delete ${key}`, await (random.below(2) ? text : binary).delete(key), stored.delete(key));
        break;
      case 3:
        if (before && !grown) break;
        expectSame(`append ${key}`, await text.append(key, value), before ? 'stored' : 'not stored');
        if (before) stored.set(key, { value: Buffer.concat([before.value, value]), flags: before.flags });
        break;
      case 4:
        expectSame(`touch ${key}`, await text.touch(key), before !== undefined);
        break;
      case 5: {
        const found = await text.gets(key);
        expectSame(`gets ${key}`, found && { value: found.value, flags: found.flags }, before);
        if (!found) break;
        expectSame(`cas ${key} with another token`, await text.cas(key, value, found.token + 1n, { flags }), 'exists');
        expectSame(`cas ${key}`, await text.cas(key, value, found.token, { flags }), 'stored');
        stored.set(key, { value, flags });
        break;
      }
      case 6: {
        const keys = Array.from({ length: 5 }, (_, n) => `asked:${(random.below(KEYS) + n) % KEYS}`);
        const found = await text.getMany([...new Set(keys)]);
        for (const one of new Set(keys)) expectSame(`get of several: ${one}`, found.get(one), stored.get(one));
        break;
      }
      case 7:
        expectSame(`binary get ${key}`, await binary.get(key), before);
        break;
      default:
        expectSame(`get ${key}`, await text.get(key), before);
    }
  }
  expectSame('items', (await text.stats()).get('curr_items'), String(stored.size));
  expectSame('items, binary', (await binary.stats()).get('curr_items'), String(stored.size));
  expectSame('versions', await text.version(), await inside.version());
  await text.set('number', '17');
  expectSame('incr', await text.incr('number', 5), 22n);
  expectSame('decr', await text.decr('number', 30), 0n);
  expectSame('incr of nothing', await text.incr('nobody'), undefined);
  expectSame('groups of statistics', [...(await text.stats('settings')).keys()].includes('maxbytes'), true);
  await inside.set('k', 'behind the login');
  expectSame('get behind the login', (await inside.get('k'))?.value.toString(), 'behind the login');
  expectSame('statistics behind the login', (await inside.stats()).get('version'), await inside.version());
  await inside.flushAll();
  expectSame('get after a flush', await inside.get('k'), undefined);

  const limits = { withinMs: 1_000 };
  using outside = await askMemcachedBinary(addressOf(closed, 'closed'), limits);
  expectSame('mechanisms', (await outside.mechanisms()).join(), 'PLAIN');
  await refused('too long', () => text.set('long', Buffer.alloc(1_048_577)));
  expectSame('a question after that', await text.version(), await binary.version());
  await refused('text behind a login', async () => (await askMemcached(addressOf(closed, 'closed'), limits)).version());
  await refused('no login', async () => (await askMemcachedBinary(addressOf(closed, 'closed'), limits)).get('k'));
  await refused('wrong password', () => askMemcachedBinary(addressOf(closed, 'closed'), { ...limits, auth: { ...auth, password: 'guessed' } }));
  await refused('wrong user', () => askMemcachedBinary(addressOf(closed, 'closed'), { ...limits, auth: { ...auth, user: 'guessed' } }));
  return { right, wrong, refusals };
}

/** Values of any length as a few words. */
function shown(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (!isFound(value)) return JSON.stringify(value) ?? 'undefined';
  return `${value.value.length} bytes ${createHash('sha1').update(value.value).digest('hex').slice(0, 8)}, flags ${value.flags}`;
}

function isFound(value: unknown): value is Found {
  return Buffer.isBuffer((value as Found | undefined)?.value);
}

const input = createInterface({ input: process.stdin });
const line = await new Promise<string>((resolve) => input.once('line', resolve));
const report = await asked(JSON.parse(line) as AskingSettings).catch(
  (thrown: unknown): AskingReport => ({ right: 0, wrong: [messageOf(thrown)], refusals: {} }),
);
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));

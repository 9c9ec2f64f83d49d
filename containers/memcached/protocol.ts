/**
 * memcached's protocols as plugs of the load engine.
 *
 * ```ts
 * const protocol = memcachedProtocol('text', { keys: 2_000, keyName: (key) => `load:${key}`, sizes: () => 100, operations: ['get', 'set'] });
 * const conversation = protocol.converse();
 * const end = conversation.ask(out, 0, 0, 7);   // 'get load:7\r\n'
 * ```
 */
import { InputError, unknownName } from '../../harness/core/errors.ts';
import type { Protocol } from '../../harness/load/protocol.ts';
import { binaryProtocol } from './binary.ts';
import type { Credentials } from './binary-requests.ts';
import { type ItemOptions, Items, wholeNumber } from './items.ts';
import { metaProtocol } from './meta.ts';
import { OPERATIONS_OF, type Operation, type ProtocolName } from './operations.ts';
import { textProtocol } from './text.ts';

export type { Credentials } from './binary-requests.ts';
export { OPERATIONS_OF, type Operation, type ProtocolName } from './operations.ts';

export interface ProtocolOptions extends ItemOptions {
  /** What is asked; the numbers of operations are places in this list. */
  readonly operations: readonly Operation[];
  /** Keys per multi-get: that of the request and those that follow it, beginning again at 0 behind the last. 1 to 1000, and no more than there are keys. Default 10. */
  readonly multiGet?: number;
  /**
   * The keys that incr and decr are asked for: their values are numbers of 1 to 20 digits (`sizes`), and nothing may be appended to them. By default
   * every key when incr or decr is among the operations, else none.
   */
  readonly numbers?: (key: number) => boolean;
  /** Log in with SASL PLAIN when a connection opens. Only binary. */
  readonly auth?: Credentials;
}

const MOST_KEYS_AT_ONCE = 1_000;

/** The protocol for a load. Throws InputError with one line that names the option. */
export function memcachedProtocol(name: ProtocolName, options: ProtocolOptions): Protocol {
  if (!Object.hasOwn(OPERATIONS_OF, name)) throw unknownName('protocol', String(name), Object.keys(OPERATIONS_OF));
  const { operations, auth } = options;
  if (operations.length === 0) throw new InputError('operations: none are named; name one or more');
  for (const operation of operations) {
    if (!OPERATIONS_OF[name].includes(operation))
      throw new InputError(`operations: the ${name} protocol has no '${operation}'; write some of ${OPERATIONS_OF[name].join(', ')}`);
  }
  const grow = operations.some((operation) => operation === 'append' || operation === 'prepend');
  const count = operations.some((operation) => operation === 'incr' || operation === 'decr');
  if (grow && count && !options.numbers)
    throw new InputError('numbers: missing; append and prepend would spoil what incr and decr count, so name the keys of these');
  const items = new Items(options, { grow, isNumber: options.numbers ?? (() => count) });
  const several = wholeNumber('multiGet', options.multiGet ?? Math.min(10, items.keys), 1, Math.min(MOST_KEYS_AT_ONCE, items.keys));
  if (auth && name !== 'binary') throw new InputError(`auth: the ${name} protocol has no login here; use binary`);
  if (name === 'text') return textProtocol(items, operations, several);
  if (name === 'meta') return metaProtocol(items, operations);
  return binaryProtocol(items, operations, auth);
}

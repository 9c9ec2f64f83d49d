/** What a load can ask of memcached, and in which of its protocols. */

/** `multi-get` asks for several keys in one request, `gets` for a value with its cas token; the others are memcached's own words. */
export type Operation =
  | 'get'
  | 'gets'
  | 'multi-get'
  | 'set'
  | 'add'
  | 'replace'
  | 'append'
  | 'prepend'
  | 'cas'
  | 'delete'
  | 'incr'
  | 'decr'
  | 'touch'
  | 'version'
  | 'noop';

export type ProtocolName = 'text' | 'meta' | 'binary';

const CHANGING = ['set', 'add', 'replace', 'append', 'prepend', 'cas', 'delete', 'incr', 'decr', 'touch'] as const;

/** The operations that each protocol speaks here. */
export const OPERATIONS_OF: Readonly<Record<ProtocolName, readonly Operation[]>> = {
  text: ['get', 'gets', 'multi-get', ...CHANGING, 'version'],
  meta: ['get', 'gets', ...CHANGING, 'noop'],
  binary: ['get', 'gets', ...CHANGING, 'version', 'noop'],
};

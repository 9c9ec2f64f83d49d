/**
 * What k6 says of a request, in our words.
 *
 * The codes are those of k6 1.8.1 (lib/netext/httpext/error_codes.go). 1000 is everything that k6 has no code for; of what Go's HTTP client then says,
 * an end before the answer was whole is a closed connection, and the rest is bytes that are no answer.
 */
import type { ErrorKind } from '../../../harness/timeline/types.ts';

export interface RequestEnd {
  readonly status: number;
  readonly code: number;
  readonly error: string;
}

/** How a request failed; undefined when it was answered. */
export function failureOf({ status, code, error }: RequestEnd): ErrorKind | undefined {
  if (status >= 400) return 'server';
  if (code === 0) return undefined;
  if (code === 1050) return 'timeout';
  if (code === 1212) return 'refused';
  if (between(code, 1210, 1213) || between(code, 1100, 1109) || code === 1010) return 'unconnected';
  if (between(code, 1200, 1299) || between(code, 1600, 1699)) return 'closed';
  if (code === 1000) return /\bEOF\b|closed|reset|broken pipe/i.test(error) ? 'closed' : 'garbled';
  return 'garbled';
}

/** Whether the script asked for something that no server could have answered: a wrong URL, an address that its own rules forbid. */
export function isScriptsFault({ code }: RequestEnd): boolean {
  return code === 1020 || code === 1110 || code === 1111;
}

function between(code: number, least: number, most: number): boolean {
  return code >= least && code <= most;
}

import { describe, expect, it } from 'vitest';
import { failureOf, isScriptsFault } from './outcome.ts';

describe('what k6 says of a request', () => {
  it.each<[string, number, number, string, ReturnType<typeof failureOf>]>([
    ['an answer', 200, 0, '', undefined],
    ['a redirection', 302, 0, '', undefined],
    ['an error of the client', 404, 1_404, '', 'server'],
    ['an error of the server', 503, 1_503, '', 'server'],
    ['no answer in time', 0, 1_050, 'request timeout', 'timeout'],
    ['a refused connection', 0, 1_212, 'dial: connection refused', 'refused'],
    ['no connection in time', 0, 1_211, 'dial: i/o timeout', 'unconnected'],
    ['no way there', 0, 1_213, 'dial: unknown errno 113', 'unconnected'],
    ['no such name', 0, 1_101, 'lookup: no such host', 'unconnected'],
    ['a reset connection', 0, 1_220, 'read: connection reset by peer', 'closed'],
    ['a broken pipe', 0, 1_201, 'write: broken pipe', 'closed'],
    ['an end before the answer', 0, 1_000, 'EOF', 'closed'],
    ['an end within the answer', 0, 1_000, 'unexpected EOF', 'closed'],
    ['HTTP/2 that goes away', 0, 1_611, 'http2: received GoAway', 'closed'],
    ['bytes that are no HTTP', 0, 1_000, 'malformed HTTP status code "world"', 'garbled'],
    ['no TLS', 0, 1_301, 'tls: first record does not look like a TLS handshake', 'garbled'],
    ['a body that cannot be unpacked', 0, 1_701, 'error decompressing response body', 'garbled'],
  ])('%s', (_, status, code, error, failure) => {
    expect(failureOf({ status, code, error })).toBe(failure);
  });

  it('is the fault of the script where no server could have answered', () => {
    expect([1_020, 1_110, 1_111].every((code) => isScriptsFault({ status: 0, code, error: '' }))).toBe(true);
    expect(isScriptsFault({ status: 0, code: 1_212, error: '' })).toBe(false);
  });
});

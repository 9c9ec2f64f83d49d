/**
 * An HTTP service as a typed value: `httpService()` is one node behind a link, asked by a client node that has k6.
 *
 * ```
 * client-1 (k6) -> web-1 (HTTP)
 * ```
 */
import type { ClusterSpec, NodeSpec } from '../../harness/cluster/spec.ts';
import { InputError, unknownName } from '../../harness/core/errors.ts';
import { type Duration, milliseconds } from '../../harness/core/units.ts';
import { k6Client } from '../k6/node.ts';
import { withSkewable } from '../skewable.ts';
import { tools } from '../tools.ts';
import type { HttpSettings } from './main.ts';
import type { HttpReadySettings } from './ready.ts';

export const HTTP_PORT = 8080;
const LONGEST_ANSWER_MS = 60_000;

export interface HttpServiceOptions {
  /** How long it takes for an answer: up to '60s'. Default '0ms'. */
  readonly answersAfter?: Duration;
  /** Nodes whose wall clocks can be put wrong, as a pattern: 'web-1'. */
  readonly skewable?: string;
}

/** A service, web-1, with nothing between it and its client but a link. Throws InputError naming the option. */
export function httpService(options: HttpServiceOptions = {}): ClusterSpec {
  const unknown = Object.keys(options).find((key) => key !== 'answersAfter' && key !== 'skewable');
  if (unknown !== undefined) throw unknownName('option of httpService', unknown, ['answersAfter', 'skewable']);
  const { answersAfter = '0ms' } = options;
  const answerMs = milliseconds(answersAfter, 'answersAfter');
  if (answerMs > LONGEST_ANSWER_MS) throw new InputError(`answersAfter: '${answersAfter}' is longer than a minute; '60s' at most`);
  const ready: HttpReadySettings = { entry: '${link:client-1 -> web-1}', patienceMs: 8_000 };
  return {
    title: `an HTTP service${answerMs > 0 ? ` that answers after ${answersAfter}` : ''}`,
    nodes: withSkewable(options.skewable, [http('web-1', { port: HTTP_PORT, answerMs }), k6Client('client-1')]),
    links: [{ from: 'client-1', to: 'web-1', port: HTTP_PORT }],
    ready: { node: 'client-1', program: 'containers/http/ready.ts', settings: ready },
    tools,
  };
}

/** One HTTP node. */
export function http(name: string, settings: HttpSettings): NodeSpec {
  return {
    name,
    role: 'service',
    image: 'aftershock/node:24',
    command: ['node', '/aftershock/containers/http/main.ts', JSON.stringify(settings)],
    sources: ['containers/http'],
    port: settings.port,
    // No body, so that the answer is whole when its head is.
    probe: { send: 'GET /healthz HTTP/1.1\r\nHost: web\r\n\r\n', expect: 'HTTP/1.1 204', ends: '\r\n\r\n' },
    wallClock: { port: settings.port, send: 'GET /healthz HTTP/1.1\r\nHost: web\r\n\r\n', until: '\r\n\r\n', find: '^Date: (.+?)\r?$' },
    memoryMiB: 192,
    // Measured at 1,000/s, and at 3,000/s.
    needs: { cpuUs: { quietUs: 110, busyUs: 67 } },
  };
}

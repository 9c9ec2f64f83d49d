/**
 * A small HTTP service: answers every request, after a fixed time, and counts them. It stands for an application whose clients are under test, so it does as
 * little as a service can.
 *
 * `/healthz` is for probes and is not counted; `/status/503` answers with that status; everything else is `200 ok`. It prints its count each
 * second, and as soon as nobody asks any more, for whoever holds it against what a load generator tells.
 */
import { createServer } from 'node:http';

export interface HttpSettings {
  readonly port: number;
  readonly answerMs: number;
}

/** Clients keep their connections for a minute; one that closes its end sooner would break requests that are already on their way. */
const KEEP_ALIVE_MS = 65_000;
const COUNT_EVERY_MS = 1_000;
/** Nobody has asked for so long. */
const QUIET_MS = 20;

const { port, answerMs } = JSON.parse(process.argv[2] ?? '{}') as HttpSettings;
let requests = 0;
let printed = 0;
let seen = 0;
let printedAt = performance.now();

const server = createServer((request, response) => {
  if (request.url === '/healthz') {
    response.writeHead(204).end();
    return;
  }
  requests++;
  const status = Number(/^\/status\/(\d{3})$/.exec(request.url ?? '')?.[1] ?? 200);
  const answer = () => response.writeHead(status, { 'content-type': 'text/plain' }).end('ok\n');
  if (answerMs > 0) setTimeout(answer, answerMs);
  else answer();
});
server.keepAliveTimeout = KEEP_ALIVE_MS;
server.listen(port, '0.0.0.0');

setInterval(() => {
  const isQuiet = requests === seen;
  seen = requests;
  if (requests === printed || !(isQuiet || performance.now() > printedAt + COUNT_EVERY_MS)) return;
  printed = requests;
  printedAt = performance.now();
  process.stdout.write(`${JSON.stringify({ requests })}\n`);
}, QUIET_MS);

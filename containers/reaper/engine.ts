/** The container engine as the reaper asks it: over the socket that was laid into its container, by Node's own HTTP. */
import { request } from 'node:http';

/** A question to the engine's API, as it goes over the wire. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export type Ask = (call: Call, limitMs?: number) => Promise<Answer>;

const LIMIT_MS = 5_000;

/** Answers with whatever the engine says; rejects when it says nothing in time. */
export function engineAt(socketPath: string): Ask {
  return ({ method, path, body }, limitMs = LIMIT_MS) =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      const headers = { host: 'engine', 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
      const asking = request({ socketPath, method, path, headers, agent: false, signal: AbortSignal.timeout(limitMs) }, (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('error', reject);
        response.on('end', () => {
          const said = Buffer.concat(pieces).toString('utf8');
          resolve({ status: response.statusCode ?? 0, body: said.startsWith('{') || said.startsWith('[') ? JSON.parse(said) : said });
        });
      });
      asking.on('error', reject);
      asking.end(text);
    });
}

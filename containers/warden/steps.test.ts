import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Step } from '../../harness/cluster/warden.ts';
import { engineAt } from '../reaper/engine.ts';
import { takeBack } from './steps.ts';

/** An engine that writes down what it is asked, and answers as it is told. */
let folder: string;
let socketPath: string;
let server: Server;
let asked: string[];
let statusOf: (path: string) => number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aftershock-warden-'));
  socketPath = join(folder, 'engine.sock');
  asked = [];
  statusOf = () => 200;
  server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const path = request.url ?? '';
    asked.push(`${request.method} ${path} ${Buffer.concat(pieces).toString()}`.trim());
    response.statusCode = statusOf(path);
    response.end(path.endsWith('/exec') && response.statusCode === 200 ? '{"Id":"e1"}' : '{"message":"no"}');
  }).listen(socketPath);
  await once(server, 'listening');
});

afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true });
});

const given = (...notes: readonly (readonly Step[])[]) => takeBack(socketPath, engineAt(socketPath), notes);
const file: Step = { method: 'PUT', path: '/containers/a/archive?path=%2Fetc', tar: Buffer.from('the file').toString('base64') };

describe('what the warden takes back', () => {
  it('is done step by step: a file is laid there as it is, a program is run, a signal is sent', async () => {
    const steps: Step[] = [file, { run: 'a', argv: ['apply', 'it'] }, { method: 'POST', path: '/containers/a/kill?signal=SIGUSR2' }];
    expect(await given(steps)).toEqual([]);
    expect(asked).toEqual([
      'PUT /containers/a/archive?path=%2Fetc the file',
      'POST /containers/a/exec {"Cmd":["apply","it"]}',
      'POST /exec/e1/start {"Detach":true}',
      'POST /containers/a/kill?signal=SIGUSR2',
    ]);
  });

  it('is started when all else is done, in the order of what had the lower address, whoever was noted first', async () => {
    const killed = (id: string): Step => ({ method: 'POST', path: `/containers/${id}/kill` });
    await given([killed('b'), { start: 'b', order: 10 }], [killed('a'), { start: 'a', order: 9 }], [killed('c')]);
    expect(asked.slice(0, 3).toSorted()).toEqual(['POST /containers/a/kill', 'POST /containers/b/kill', 'POST /containers/c/kill']);
    expect(asked.slice(3)).toEqual(['POST /containers/a/start', 'POST /containers/b/start']);
  });

  it('is told of when it did not work, and the rest is done all the same; what is gone or does not run is as good', async () => {
    statusOf = (path) => (path.includes('archive') ? 500 : path.endsWith('/exec') ? 409 : 404);
    expect(await given([file, { run: 'a', argv: ['apply'] }, { start: 'a', order: 1 }])).toEqual(['PUT /containers/a/archive?path=%2Fetc: 500']);
    expect(asked.map((line) => line.split(' ')[1])).toEqual(['/containers/a/archive?path=%2Fetc', '/containers/a/exec', '/containers/a/start']);
  });
});

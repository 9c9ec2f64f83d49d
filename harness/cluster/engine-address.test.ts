import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { engineAt, findEngine } from './engine-address.ts';

const open: (Server | TcpServer)[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

async function listening(server: Server | TcpServer): Promise<string> {
  open.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const engine: RequestListener = (request, response) => {
  if (request.url === '/_ping') response.end('OK');
  else response.setHeader('content-type', 'application/json').end('{"Version":"1.2.3"}');
};

describe('looking for the engine', () => {
  it('takes the one that DOCKER_HOST names, and asks it', async () => {
    const url = await listening(createServer(engine));
    const found = await findEngine({ DOCKER_HOST: url });
    expect(found).toMatchObject({ url, local: true });
    expect(await found?.get('/version')).toEqual({ status: 200, body: { Version: '1.2.3' } });
  });

  it('takes no other when that one is not there, and says what to type', async () => {
    await expect(findEngine({ DOCKER_HOST: 'tcp://127.0.0.1:1' })).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringMatching(/^no container engine answers at DOCKER_HOST=tcp:\/\/127\.0\.0\.1:1 \(.*ECONNREFUSED.*\).*unset DOCKER_HOST$/),
    });
  });

  it('does not hang on one that accepts and never answers', async () => {
    const url = await listening(createTcpServer());
    const startedAt = performance.now();
    await expect(findEngine({ DOCKER_HOST: url })).rejects.toThrow('no answer within 4 s');
    expect(performance.now() - startedAt).toBeLessThan(8_000);
  }, 10_000);

  it('does not take something else that answers for an engine', async () => {
    const url = await listening(createServer((_request, response) => response.writeHead(404).end('nothing here')));
    await expect(findEngine({ DOCKER_HOST: url })).rejects.toThrow('it answered 404: nothing here');
  });
});

describe('an address of an engine', () => {
  it.each([
    ['unix:///run/user/1000/docker.sock', true],
    ['tcp://localhost:2375', true],
    ['tcp://[::1]:2375', true],
    ['tcp://engine.example:2375', false],
  ])('%s is local: %s', (url, local) => {
    expect(engineAt(url).local).toBe(local);
  });

  it('of another kind is refused with the kinds that are allowed', () => {
    expect(() => engineAt('ssh://root@engine.example')).toThrow(/DOCKER_HOST='ssh:.*unix:\/\/\/PATH.*tcp:\/\/HOST:PORT; over ssh/);
    expect(() => engineAt('engine.example')).toThrow('unix:///PATH');
  });
});

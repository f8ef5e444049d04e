import http from 'node:http';
import net from 'node:net';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { silentLogger } from '../../core/logger.ts';
import { aKeyAuthorization, aToken } from '../challenge.testing.ts';
import { createResponder, type Responder } from './responder.ts';
import { type SolverListener, startSolverListener } from './solver-listener.ts';

let responder: Responder;
let listener: SolverListener;

beforeEach(async () => {
  responder = createResponder();
  listener = await startSolverListener({ responder, host: '127.0.0.1', port: 0, logger: silentLogger });
  const started = listener;
  onTestFinished(() => started.close());
  present('www.example.com');
});

function present(host: string, owner = 'uid-1'): void {
  responder.put({ owner, host, token: aToken, keyAuthorization: aKeyAuthorization });
}

interface Reply {
  status: number;
  body: string;
  headers: http.IncomingHttpHeaders;
}

interface Question {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

function ask(options: Question): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const path = `/.well-known/acme-challenge/${aToken}`;
    const { port } = listener;
    const request = http.request({ host: '127.0.0.1', port, path, agent: false, ...options }, response => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body, headers: response.headers }),
      );
    });
    request.on('error', reject);
    request.end(options.body);
  });
}

/** Sends bytes as they are; gives all that comes back. */
function send(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = net.connect(listener.port, '127.0.0.1', () => socket.write(text));
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      answer += chunk;
      socket.end();
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

const path = `/.well-known/acme-challenge/${aToken}`;

describe('the solver listener', () => {
  it.each([
    'www.example.com',
    'WWW.Example.COM',
    'www.example.com:80',
    'www.example.com.',
    'www.example.com.:8089',
  ])('answers a presented token for its host, written as %s', async host => {
    const reply = await ask({ headers: { host } });
    expect(reply).toMatchObject({ status: 200, body: aKeyAuthorization });
    expect(reply.headers).toMatchObject({
      'content-type': 'text/plain',
      'x-content-type-options': 'nosniff',
    });
  });

  it.each([
    ['192.0.2.1', '192.0.2.1:80'],
    ['2001:db8::1', '[2001:DB8:0:0::1]:80'],
    ['2001:db8::1', '[2001:db8::1]'],
  ])('answers for the IP address %s asked as %s', async (host, header) => {
    present(host);
    expect(await ask({ headers: { host: header } })).toMatchObject({ status: 200, body: aKeyAuthorization });
  });

  it('answers HEAD without a body', async () => {
    expect(await ask({ method: 'HEAD', headers: { host: 'www.example.com' } })).toMatchObject({
      status: 200,
      body: '',
    });
  });

  it.each<[string, Question]>([
    ['another host', { headers: { host: 'other.example.com' } }],
    ['a host that only begins alike', { headers: { host: 'www.example.com.evil.test' } }],
    ['no usable host', { headers: { host: '[' } }],
    ['another token', { path: `${path}x` }],
    ['a path below the token', { path: `${path}/x` }],
    ['a query', { path: `${path}?x` }],
    ['a path that climbs', { path: `/.well-known/acme-challenge/../acme-challenge/${aToken}` }],
    ['an encoded path', { path: path.replace('well', '%77ell') }],
    ['the folder', { path: '/.well-known/acme-challenge/' }],
    ['the root', { path: '/' }],
    ['health', { path: '/healthz' }],
    ['POST', { method: 'POST', body: 'x' }],
    ['OPTIONS', { method: 'OPTIONS' }],
    ['GET with a body', { method: 'GET', body: 'x', headers: { 'content-length': '1' } }],
  ])('says 404 and no more to %s', async (_what, options) => {
    const reply = await ask({ ...options, headers: { host: 'www.example.com', ...options.headers } });
    expect(reply).toMatchObject({ status: 404, body: '' });
  });

  it('says 404 where two Host headers could mean two things', async () => {
    const reply = await send(
      `GET ${path} HTTP/1.1\r\nHost: www.example.com\r\nHost: www.example.com\r\n\r\n`,
    );
    expect(reply).not.toContain(aKeyAuthorization);
    expect(reply).toMatch(/^HTTP\/1\.1 40[04] /);
  });

  it.each([
    ['an absolute URL', `GET http://www.example.com${path} HTTP/1.1\r\nHost: www.example.com\r\n\r\n`],
    ['CONNECT', 'CONNECT www.example.com:443 HTTP/1.1\r\nHost: www.example.com\r\n\r\n'],
    ['headers without end', `GET ${path} HTTP/1.1\r\nHost: www.example.com\r\nX: ${'x'.repeat(10_000)}`],
    ['what is no HTTP', 'PROXY TCP4 192.0.2.1 192.0.2.2 1 80\r\n'],
  ])('gives nothing away to %s', async (_what, text) => {
    expect(await send(text)).not.toContain(aKeyAuthorization);
  });

  it('answers from the moment of presenting to the moment of cleaning up', async () => {
    responder.drop('uid-1');
    expect(await ask({ headers: { host: 'www.example.com' } })).toMatchObject({ status: 404 });
    present('www.example.com');
    expect(await ask({ headers: { host: 'www.example.com' } })).toMatchObject({ status: 200 });
  });

  it('goes on answering where a second challenge shares the token', async () => {
    present('www.example.com', 'uid-2');
    responder.drop('uid-1');
    expect(await ask({ headers: { host: 'www.example.com' } })).toMatchObject({ status: 200 });
    responder.drop('uid-2');
    expect(await ask({ headers: { host: 'www.example.com' } })).toMatchObject({ status: 404 });
    expect(responder.size).toBe(0);
  });

  it('names the flag where its port is taken', async () => {
    const second = startSolverListener({
      responder,
      host: '127.0.0.1',
      port: listener.port,
      logger: silentLogger,
    });
    await expect(second).rejects.toMatchObject({
      code: 'SOLVER_LISTEN_FAILED',
      message: expect.stringContaining('--solver-listen'),
    });
  });
});

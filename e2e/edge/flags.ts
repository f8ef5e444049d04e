import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { places } from '../harness/environment.ts';
import type { ServerProcess } from '../harness/server-process.ts';
import { type SeenRequest, valuesOf } from './reporting-upstream.ts';
import { clientAddress, otherEdge, type World } from './world.ts';

/** Sends bytes and gives what comes back until the edge closes. */
function sendRaw(bytes: Buffer | string, from = clientAddress): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: 80, host: otherEdge, localAddress: from });
    let got = '';
    socket.setTimeout(5_000, () => socket.destroy(new Error('no answer')));
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      got += chunk;
    });
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' ? resolve(got) : reject(error),
    );
    socket.on('close', () => resolve(got));
    socket.write(bytes);
  });
}

const request = (host: string, path = '/', more = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${more}\r\n`;
const bodyOf = (answer: string): SeenRequest =>
  JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as SeenRequest;

/** `PROXY` in its binary form (version 2), for a TCP connection over IPv4. */
function proxyV2(source: string, port: number): Buffer {
  const header = Buffer.alloc(28);
  header.write('\r\n\r\n\0\r\nQUIT\n', 'latin1');
  header.set([0x21, 0x11, 0, 12], 12);
  header.set(source.split('.').map(Number), 16);
  header.set([10, 77, 0, 12], 20);
  header.writeUInt16BE(port, 24);
  header.writeUInt16BE(80, 26);
  return header;
}

const v1 = (source: string): string => `PROXY TCP4 ${source} 10.77.0.12 4711 80\r\n`;

/** Another Postern on the same objects, whose flags are not the defaults. */
export function flagTests(world: () => World): void {
  let postern: ServerProcess;

  beforeAll(async () => {
    postern = await world().bed.start(
      [
        ...['--proxy-protocol', '--trusted-proxies', `${clientAddress}/32,198.51.100.0/24`],
        ...['--access-log', '$remote_addr "$request_method $uri" $status $ingress'],
        ...['--watch-ingress-without-class', '--external-names=false', '--hsts=false'],
        ...[
          '--default-ssl-certificate',
          'default/own-tls',
          '--forwarded-header=false',
          '--components',
          'edge',
        ],
      ],
      places.second,
    );
  });

  afterAll(async () => {
    postern?.signal('SIGTERM');
    await postern?.exited;
  });

  it.each([
    ['version 1', v1('203.0.113.7')],
    ['version 2', proxyV2('203.0.113.7', 4_711)],
  ])('--proxy-protocol: %s tells the client', async (_version, header) => {
    const answer = await sendRaw(
      Buffer.concat([Buffer.from(header), Buffer.from(request('classed.example.com'))]),
    );
    const seen = bodyOf(answer);
    expect(valuesOf(seen, 'x-forwarded-for')).toEqual(['203.0.113.7']);
    expect(valuesOf(seen, 'x-real-ip')).toEqual(['203.0.113.7']);
    expect(valuesOf(seen, 'forwarded')).toEqual([]);
  });

  it('--proxy-protocol: who does not begin with it, or may not, is refused', async () => {
    expect(await sendRaw(request('classed.example.com'))).toBe('');
    expect(await sendRaw(v1('203.0.113.7') + request('classed.example.com'), '10.77.0.1')).toBe('');
  });

  it('--trusted-proxies: what a trusted proxy says is believed, as far as the last one that is', async () => {
    const told = 'X-Forwarded-For: 192.0.2.66, 203.0.113.9, 198.51.100.2\r\nX-Forwarded-Proto: https\r\n';
    const trusted = bodyOf(await sendRaw(v1('198.51.100.1') + request('classed.example.com', '/', told)));
    expect(valuesOf(trusted, 'x-real-ip')).toEqual(['203.0.113.9']);
    expect(valuesOf(trusted, 'x-forwarded-proto')).toEqual(['https']);
    const stranger = bodyOf(await sendRaw(v1('203.0.113.1') + request('classed.example.com', '/', told)));
    expect(valuesOf(stranger, 'x-real-ip')).toEqual(['203.0.113.1']);
    expect(valuesOf(stranger, 'x-forwarded-proto')).toEqual(['http']);
  });

  it('statement 14: --watch-ingress-without-class', async () => {
    const answer = await sendRaw(v1('203.0.113.7') + request('classless.example.com'));
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(await sendRaw(v1('203.0.113.7') + request('unknown-class.example.com'))).toMatch(
      /^HTTP\/1\.1 404 /,
    );
  });

  it('statement 12: --external-names false', async () => {
    expect(await sendRaw(v1('203.0.113.7') + request('outside.example.com'))).toMatch(/^HTTP\/1\.1 503 /);
    expect((await world().ask('outside.example.com')).seen().upstream).toBe('two');
  });

  it('--access-log as a text', async () => {
    await sendRaw(v1('203.0.113.8') + request('classed.example.com', '/as-text?token=sesame'));
    await world().bed.eventually('the line is written', async () =>
      (await readFile(postern.logFile, 'utf8')).includes(
        '\n203.0.113.8 "GET /as-text" 200 default/classed\n',
      ),
    );
  });
}

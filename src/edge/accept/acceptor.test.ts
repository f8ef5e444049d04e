import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/logger.ts';
import { emptyTable } from '../compile/table.ts';
import { defaultLimits } from '../limits.ts';
import { type EdgeMetrics, noEdgeMetrics } from '../metrics.ts';
import { AddressRanges } from '../policy/address-ranges.ts';
import type { ConnectionFacts } from '../policy/request-head.ts';
import type { ProtocolServer } from '../protocol-server.ts';
import { createContextStore } from '../tls/context-store.ts';
import { makeDefaultCertificate } from '../tls/default-certificate.ts';
import { defaultTlsSettings } from '../tls/tls-settings.ts';
import { TlsTerminator } from '../tls/tls-terminator.ts';
import { Acceptor, type AcceptorParts } from './acceptor.ts';

const open: { server: Server; acceptor: Acceptor }[] = [];
afterEach(async () => {
  for (const { server, acceptor } of open.splice(0)) {
    const closed = new Promise(resolve => server.close(resolve));
    acceptor.close();
    await closed;
  }
});

interface Accepting {
  readonly port: number;
  readonly acceptor: Acceptor;
  /** What was counted: refusals by reason, and failed handshakes. */
  readonly counted: string[];
}

/** An acceptor whose server tells each client the protocol and its address, and leaves the connection open. */
async function accepting(secure: boolean, given: Partial<AcceptorParts> = {}): Promise<Accepting> {
  const counted: string[] = [];
  const metrics: EdgeMetrics = {
    ...noEdgeMetrics,
    refused: reason => counted.push(reason),
    handshakeFailed: () => counted.push('handshake failed'),
  };
  const teller = (protocol: string): ProtocolServer => ({
    take(socket: Socket, { clientAddress, trusted }: ConnectionFacts) {
      socket.write(`${protocol} ${clientAddress}${trusted ? ' trusted' : ''}\n`);
      socket.on('data', (chunk: Buffer) => socket.write(chunk));
    },
    drain: () => {},
    close: () => {},
  });
  const table = (): typeof emptyTable => emptyTable;
  const acceptor = new Acceptor({
    table,
    starting: () => undefined,
    limits: defaultLimits,
    handshakeMs: 5_000,
    publicPorts: { http: 80, https: 443 },
    proxyProtocol: false,
    trusted: new AddressRanges([]),
    tls: new TlsTerminator({
      table,
      contexts: createContextStore({
        table,
        settings: defaultTlsSettings,
        protocols: ['h2', 'http/1.1'],
        fallback: await makeDefaultCertificate(Date.now()),
        onUnusable: () => {},
      }),
      ticketKeys: Buffer.alloc(48, 7),
      logger: silentLogger,
      clock: systemClock,
    }),
    http1: teller('http1'),
    http2: teller('http2'),
    metrics,
    logger: silentLogger,
    clock: systemClock,
    ...given,
  });
  const server = createServer(socket => acceptor.accept(socket, secure));
  open.push({ server, acceptor });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0, acceptor, counted };
}

/** Connects, sends, and gives the first answer; or `closed`. */
async function answerTo(port: number, bytes = ''): Promise<{ answer: string; socket: Socket }> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(bytes);
  const answer = await new Promise<string>(resolve => {
    socket.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    socket.once('close', () => resolve('closed'));
  });
  return { answer, socket };
}

function secureAnswer(port: number, protocols: string[], head = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const raw = connect(port, '127.0.0.1');
    raw.write(head);
    const socket = connectTls({ socket: raw, rejectUnauthorized: false, ALPNProtocols: protocols });
    socket.on('error', reject);
    socket.once('data', (chunk: Buffer) => {
      resolve(chunk.toString());
      socket.destroy();
    });
  });
}

describe('accepting connections', () => {
  it('goes to the server of the protocol, which ALPN says; without a common one there is no handshake', async () => {
    const { port, counted } = await accepting(true);
    expect(await secureAnswer(port, ['h2', 'http/1.1'])).toBe('http2 127.0.0.1\n');
    expect(await secureAnswer(port, ['http/1.1'])).toBe('http1 127.0.0.1\n');
    expect(await secureAnswer(port, [])).toBe('http1 127.0.0.1\n');
    await expect(secureAnswer(port, ['ftp'])).rejects.toThrow();
    await expect.poll(() => counted).toEqual(['handshake failed']);
  });

  it.each([
    ['TLS 1.1', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }],
    ['a suite without authenticated encryption', { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA' }],
    ['a suite without forward secrecy', { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' }],
  ] as const)('%s is not spoken', async (_what, options) => {
    const { port } = await accepting(true);
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ...options,
      ciphers: `${'ciphers' in options ? options.ciphers : 'DEFAULT'}:@SECLEVEL=0`,
    });
    await expect(once(socket, 'secureConnect')).rejects.toThrow();
  });

  it('a client that is slow to begin is cut off', async () => {
    const { port, counted } = await accepting(true, { handshakeMs: 50 });
    const { answer } = await answerTo(port, '\u0016\u0003\u0001');
    expect(answer).toBe('closed');
    await expect.poll(() => counted).toEqual(['handshake failed']);
  });

  it('connections beyond the limits are refused, and those that end make room', async () => {
    const limits = { ...defaultLimits, connections: 3, connectionsPerAddress: 2 };
    const { port, counted } = await accepting(false, { limits });
    const first = await answerTo(port);
    await answerTo(port);
    expect((await answerTo(port)).answer).toBe('closed');
    expect(counted).toEqual(['too many connections of one address']);
    first.socket.destroy();
    await expect.poll(async () => (await answerTo(port)).answer).toBe('http1 127.0.0.1\n');
  });

  it('handshakes under way are bounded for each address', async () => {
    const limits = { ...defaultLimits, handshakesPerAddress: 1 };
    const { port, counted } = await accepting(true, { limits });
    const idle = connect(port, '127.0.0.1');
    await once(idle, 'connect');
    expect((await answerTo(port, '\u0016\u0003\u0001')).answer).toBe('closed');
    expect(counted).toContain('too many handshakes of one address');
    idle.destroy();
    await expect.poll(() => secureAnswer(port, []).catch(() => '')).toBe('http1 127.0.0.1\n');
  });
});

describe('PROXY protocol', () => {
  const trusted = new AddressRanges(['127.0.0.0/8']);
  const line = 'PROXY TCP4 192.0.2.7 127.0.0.1 1234 443\r\n';

  it('tells the client, before TLS and before plain HTTP', async () => {
    const plain = await accepting(false, { proxyProtocol: true, trusted });
    const { answer, socket } = await answerTo(plain.port, `${line}hello`);
    let text = answer;
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    await expect.poll(() => text).toBe('http1 192.0.2.7\nhello');
    const secure = await accepting(true, { proxyProtocol: true, trusted });
    expect(await secureAnswer(secure.port, ['h2'], line)).toBe('http2 192.0.2.7\n');
  });

  it('tells IPv6 clients apart by the network that each of them has, and mapped ones by their IPv4 address', async () => {
    const limits = { ...defaultLimits, connectionsPerAddress: 1 };
    const { port, counted } = await accepting(false, { proxyProtocol: true, trusted, limits });
    const from = (address: string) =>
      answerTo(port, `PROXY TCP6 ${address} ::1 1234 80\r\n`).then(({ answer }) => answer);
    expect(await from('2001:db8:0:1::1')).toBe('http1 2001:db8:0:1::1\n');
    expect(await from('2001:db8:0:1::2')).toBe('closed');
    expect(await from('2001:db8:0:2::1')).toBe('http1 2001:db8:0:2::1\n');
    expect(await from('::ffff:c000:201')).toBe('http1 192.0.2.1\n');
    expect(await from('::ffff:c000:202')).toBe('http1 192.0.2.2\n');
    expect(counted).toEqual(['too many connections of one address']);
  });

  it('is required of trusted addresses, and not taken from others', async () => {
    const { port, counted } = await accepting(false, { proxyProtocol: true, trusted });
    expect((await answerTo(port, 'GET / HTTP/1.1\r\n')).answer).toBe('closed');
    const others = await accepting(false, {
      proxyProtocol: true,
      trusted: new AddressRanges(['192.0.2.0/24']),
    });
    expect((await answerTo(others.port, line)).answer).toBe('closed');
    expect([...counted, ...others.counted]).toEqual([
      'malformed PROXY header',
      'PROXY protocol from an untrusted address',
    ]);
  });

  it('a client that is itself a proxy in the trusted ranges is trusted; one that is not is not', async () => {
    const both = new AddressRanges(['127.0.0.0/8', '192.0.2.0/24']);
    const { port } = await accepting(false, { proxyProtocol: true, trusted: both });
    expect((await answerTo(port, line)).answer).toBe('http1 192.0.2.7 trusted\n');
    const other = line.replace('192.0.2.7', '198.51.100.1');
    expect((await answerTo(port, other)).answer).toBe('http1 198.51.100.1\n');
  });
});

import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { manualClock } from '../../core/clock.testing.ts';
import { systemClock } from '../../core/clock.ts';
import { aKeyAuthorization, aToken } from '../challenge.testing.ts';
import { scopeOf } from './address-scope.ts';
import { aDnsServer } from './dns-server.testing.ts';
import { createProbe, type ProbeOutcome } from './probe.ts';
import { explainProbe } from './probe-message.ts';
import { createHostResolver, type HostResolver, parseNameserver } from './resolve-host.ts';

const host = 'www.example.com';
const target = { host, token: aToken, keyAuthorization: aKeyAuthorization };
const path = `/.well-known/acme-challenge/${aToken}`;

const to =
  (...addresses: string[]): HostResolver =>
  () =>
    Promise.resolve({ addresses });

interface Seen {
  readonly host: string | undefined;
  readonly url: string | undefined;
}

/** A site on loopback for one test; gives its port and what it was asked. */
async function aSite(
  listener: http.RequestListener,
  address = '127.0.0.1',
): Promise<{ port: number; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = http.createServer((request, response) => {
    seen.push({ host: request.headers.host, url: request.url });
    listener(request, response);
  });
  await new Promise<void>(resolve => {
    server.listen(0, address, resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

function look(
  port: number,
  resolve = to('127.0.0.1'),
  signal = new AbortController().signal,
): Promise<ProbeOutcome> {
  return createProbe({ resolve, port, clock: systemClock })(target, signal);
}

describe('looking for the answer as a CA does', () => {
  it('finds it by the plain path, with the host and the port in the Host header', async () => {
    const { port, seen } = await aSite((_request, response) => response.end(`${aKeyAuthorization}\r\n`));
    expect(await look(port)).toEqual({ found: true });
    expect(seen).toEqual([{ host: `${host}:${port}`, url: path }]);
  });

  it.each<[string, http.RequestListener, object]>([
    ['another status', (_q, r) => r.writeHead(404).end('secret page'), { kind: 'status', status: 404 }],
    ['another text', (_q, r) => r.end('secret page'), { kind: 'mismatch', length: 11, complete: true }],
    ['too much', (_q, r) => r.end('x'.repeat(100_000)), { kind: 'mismatch', length: 1_024, complete: false }],
    ['the answer in an error page', (_q, r) => r.writeHead(500).end(aKeyAuthorization), { kind: 'status' }],
    ['a cut', (_q, r) => r.destroy(), { kind: 'broken' }],
    [
      'redirects without end',
      (q, r) => r.writeHead(302, { location: q.url }).end(),
      { kind: 'redirect', why: 'count' },
    ],
    [
      'a redirect to a file',
      (_q, r) => r.writeHead(302, { location: 'file:///etc/passwd' }).end(),
      { kind: 'redirect' },
    ],
    ['a redirect to nowhere', (_q, r) => r.writeHead(302).end(), { kind: 'redirect', why: 'malformed' }],
    [
      'a redirect to another port',
      (_q, r) => r.writeHead(302, { location: 'http://x.test:6443/' }).end(),
      { kind: 'redirect', why: 'port' },
    ],
  ])('says what it saw of %s, and nothing of the content', async (_what, listener, expected) => {
    const { port } = await aSite(listener);
    const outcome = await look(port);
    expect(outcome).toMatchObject({ found: false, ...expected });
    if (outcome.found) return;
    const { reason, fix } = explainProbe(outcome, target, port);
    expect(reason).toContain(host);
    expect(fix).not.toBe('');
    for (const secret of ['secret', aToken, aKeyAuthorization])
      expect(`${reason} ${fix}`).not.toContain(secret);
  });

  it('asks at most eleven times', async () => {
    const { port, seen } = await aSite((_q, r) => r.writeHead(307, { location: '/again' }).end());
    await look(port);
    expect(seen).toHaveLength(11);
  });

  it('follows a redirect to the same host, at the address that sent it', async () => {
    let asked = 0;
    const resolve: HostResolver = () => {
      asked += 1;
      return Promise.resolve({ addresses: [asked === 1 ? '127.0.0.1' : '127.0.0.9'] });
    };
    const { port } = await aSite((request, response) =>
      request.url === '/elsewhere'
        ? response.end(aKeyAuthorization)
        : response.writeHead(301, { location: `http://${host}:${port}/elsewhere` }).end(),
    );
    expect(await look(port, resolve)).toEqual({ found: true });
    expect(asked).toBe(1);
  });

  it.each([
    '127.0.0.1',
    'localhost',
    'internal.test',
    '10.0.0.1',
    '[::1]',
    '[::ffff:10.0.0.1]',
    '2130706433',
  ])('does not follow a redirect to %s', async elsewhere => {
    const { port, seen } = await aSite((_q, r) =>
      r.writeHead(302, { location: `http://${elsewhere}:${port}/admin` }).end(),
    );
    const resolve: HostResolver = name =>
      Promise.resolve({ addresses: [net.isIP(name) === 0 ? '127.0.0.1' : name] });
    expect(await look(port, resolve)).toMatchObject({ found: false, kind: 'redirect', why: 'local' });
    expect(seen).toHaveLength(1);
  });

  it.each(['169.254.169.254', '0.0.0.0', 'fe80::1', '::ffff:169.254.169.254', '224.0.0.1'])(
    'does not connect to %s at all',
    async address => {
      expect(await look(80, to(address))).toEqual({ found: false, kind: 'address', address });
    },
  );

  it('tries the next address where one refuses', async () => {
    const { port } = await aSite((_request, response) => response.end(aKeyAuthorization), '127.0.0.2');
    expect(await look(port, to('127.0.0.3', '127.0.0.2'))).toEqual({ found: true });
  });

  it('says who refused', async () => {
    const { port } = await aSite(() => {}, '127.0.0.2');
    const outcome = await look(port, to('127.0.0.3'));
    expect(outcome).toEqual({ found: false, kind: 'connect', at: `127.0.0.3:${port}`, code: 'ECONNREFUSED' });
    if (outcome.found) return;
    expect(explainProbe(outcome, target, port).reason).toBe(
      `${host}: connection refused at 127.0.0.3:${port}`,
    );
  });

  it('ends at its signal, while the site is silent', async () => {
    const abort = new AbortController();
    const { port } = await aSite(() => abort.abort());
    expect(await look(port, to('127.0.0.1'), abort.signal)).toMatchObject({ found: false, kind: 'timeout' });
  });

  it('follows to https without minding the certificate, to port 443 alone', async () => {
    const { port } = await aSite((_q, r) => r.writeHead(301, { location: `https://${host}${path}` }).end());
    // Nothing listens there; what counts is where it went.
    expect(await look(port, to('127.0.0.7'))).toMatchObject({ found: false });
    const outcome = await createProbe({ resolve: to('127.0.0.1'), port, clock: manualClock() })(
      target,
      new AbortController().signal,
    );
    expect(outcome).toMatchObject({ found: false, at: '127.0.0.1:443' });
  });
});

describe('the scope of an address', () => {
  it.each([
    ['93.184.215.14', 'global'],
    ['2606:2800:21f::1', 'global'],
    ['10.1.2.3', 'local'],
    ['100.64.0.1', 'local'],
    ['172.31.255.255', 'local'],
    ['172.32.0.1', 'global'],
    ['127.0.0.1', 'local'],
    ['::1', 'local'],
    ['fd12::1', 'local'],
    ['::ffff:192.168.0.1', 'local'],
    ['::ffff:93.184.215.14', 'global'],
    ['64:ff9b::7f00:1', 'local'],
    ['169.254.1.1', 'never'],
    ['255.255.255.255', 'never'],
    ['::', 'never'],
    ['febf::1', 'never'],
  ])('%s is %s', (address, scope) => {
    expect(scopeOf(address)).toBe(scope);
  });
});

describe('resolving through given nameservers', () => {
  const signal = (): AbortSignal => new AbortController().signal;

  it('asks them', async () => {
    const dns = await aDnsServer();
    dns.set(host, ['192.0.2.1', '192.0.2.2']);
    const resolution = await createHostResolver([dns.address])(host, signal());
    expect(resolution).toEqual({ addresses: ['192.0.2.1', '192.0.2.2'] });
    expect(dns.asked).toContain(host);
  });

  it.each([
    ['a name that does not exist', undefined, 'none'],
    ['a name without addresses', [], 'none'],
    ['a zone that is broken', 'servfail', 'failure'],
  ] as const)('tells of %s', async (_what, answer, failure) => {
    const dns = await aDnsServer();
    if (answer !== undefined) dns.set(host, answer);
    expect(await createHostResolver([dns.address])(host, signal())).toEqual({ failure, asked: dns.address });
  });

  it('ends at its signal, while the nameserver is silent', async () => {
    const dns = await aDnsServer();
    dns.set(host, 'silent');
    const abort = new AbortController();
    const asked = dns.query(host);
    const resolution = createHostResolver([dns.address])(host, abort.signal);
    await asked;
    abort.abort();
    expect(await resolution).toEqual({ failure: 'timeout', asked: dns.address });
  });

  it('takes an IP address as it is, and the hosts file where no nameserver is given', async () => {
    expect(await createHostResolver()('192.0.2.7', signal())).toEqual({ addresses: ['192.0.2.7'] });
    expect(await createHostResolver()('localhost', signal())).toEqual({
      addresses: expect.arrayContaining(['127.0.0.1']),
    });
  });

  it.each([
    ['10.0.0.2', '10.0.0.2:53'],
    ['10.0.0.2:5353', '10.0.0.2:5353'],
    ['2001:db8::1', '[2001:db8::1]:53'],
    ['[2001:db8::1]:5353', '[2001:db8::1]:5353'],
  ])('reads %s', (text, expected) => {
    expect(parseNameserver(text)).toBe(expected);
  });

  it.each(['dns.example.com:53', '10.0.0.2:0', '10.0.0.2:99999', '', '10.0.0.2:53,10.0.0.3:53'])(
    'refuses %j by the name of its flag',
    text => {
      expect(() => parseNameserver(text)).toThrow('--acme-http01-solver-nameservers');
    },
  );
});

describe('the whole way, through a nameserver', () => {
  it('says that a name does not resolve, and who was asked', async () => {
    const dns = await aDnsServer();
    const outcome = await look(80, createHostResolver([dns.address]));
    if (outcome.found) throw new Error('found');
    expect(explainProbe(outcome, target, 80)).toEqual({
      reason: `${host} does not resolve: it has no A or AAAA record (asked ${dns.address})`,
      fix: 'make a DNS record for it that leads to the address of the Ingress controller',
    });
  });
});

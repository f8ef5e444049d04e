import { connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/logger.ts';
import { Acceptor } from '../accept/acceptor.ts';
import { makeAuthority, type TestAuthority, type TestCertificate } from '../certificates.testing.ts';
import {
  emptyTable,
  type HostRoutes,
  type HostTlsSettings,
  type Route,
  type RoutingTable,
} from '../compile/table.ts';
import { defaultLimits } from '../limits.ts';
import { noEdgeMetrics } from '../metrics.ts';
import { AddressRanges } from '../policy/address-ranges.ts';
import type { ConnectionFacts } from '../policy/request-head.ts';
import { type ClientCertificatePolicy, plainPolicy } from '../policy/route-policy.ts';
import type { ProtocolServer } from '../protocol-server.ts';
import { createContextStore } from './context-store.ts';
import { makeDefaultCertificate } from './default-certificate.ts';
import * as revocation from './revocation.testing.ts';
import { defaultTlsSettings, type ServerTlsSettings } from './tls-settings.ts';
import { TlsTerminator } from './tls-terminator.ts';

const open: Server[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(server => new Promise(resolve => server.close(resolve))));
});

let clients: TestAuthority;
let others: TestAuthority;
let good: TestCertificate;
let strange: TestCertificate;
beforeAll(async () => {
  clients = await makeAuthority('Client CA');
  others = await makeAuthority('Other CA');
  [good, strange] = await Promise.all([clients.issue(['alice']), others.issue(['mallory'])]);
});

const policyOf = (ca: string, more: Partial<ClientCertificatePolicy> = {}): ClientCertificatePolicy => ({
  id: JSON.stringify([ca, more]),
  mode: 'on',
  ca,
  crl: undefined,
  depth: 1,
  passToUpstream: false,
  errorPage: undefined,
  commonName: undefined,
  ...more,
});

function routesOf(host: string, clientCertificate: ClientCertificatePolicy | undefined): HostRoutes {
  const policy = { ...plainPolicy, clientCertificate };
  const source = { kind: 'Ingress', namespace: 'default', name: host } as const;
  const common = { source, host, kind: 'Prefix', backend: '', alternatives: [] } as const;
  const root: Route = { ...common, path: '/', policy: plainPolicy };
  const prefixes = new Map<string, Route>([['/secret', { ...common, path: '/secret', policy }]]);
  return { host, root, exact: new Map(), prefixes, deepestPrefix: 1, patterns: [], fallback: undefined };
}

interface Listening {
  readonly port: number;
  readonly setTable: (table: RoutingTable) => void;
}

/** An acceptor whose server tells each client what is known of its connection. */
async function listen(
  policies: Readonly<Record<string, ClientCertificatePolicy | undefined>>,
  settings: ServerTlsSettings = defaultTlsSettings,
): Promise<Listening> {
  let table: RoutingTable = {
    ...emptyTable,
    hosts: new Map(Object.entries(policies).map(([host, policy]) => [host, routesOf(host, policy)])),
  };
  const contexts = createContextStore({
    table: () => table,
    settings,
    protocols: ['h2', 'http/1.1'],
    fallback: await makeDefaultCertificate(Date.now()),
    onUnusable: () => {},
  });
  const tls = new TlsTerminator({
    table: () => table,
    contexts,
    ticketKeys: Buffer.alloc(48, 7),
    logger: silentLogger,
    clock: systemClock,
  });
  const teller: ProtocolServer = {
    take: (socket: Socket, facts: ConnectionFacts) => {
      socket.resume();
      socket.end(JSON.stringify(facts.tls?.client ?? 'not asked'));
    },
    drain: () => {},
    close: () => {},
  };
  const acceptor = new Acceptor({
    table: () => table,
    starting: () => undefined,
    limits: defaultLimits,
    handshakeMs: 5_000,
    publicPorts: { http: 80, https: 443 },
    proxyProtocol: false,
    trusted: new AddressRanges([]),
    tls,
    http1: teller,
    http2: teller,
    metrics: noEdgeMetrics,
    logger: silentLogger,
    clock: systemClock,
  });
  const port = await listenOn(createServer(socket => acceptor.accept(socket, true)));
  return {
    port,
    setTable: next => {
      table = next;
      tls.tableChanged();
    },
  };
}

async function listenOn(server: Server): Promise<number> {
  open.push(server);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

interface Met {
  readonly told: Record<string, unknown> | string;
  readonly resumed: boolean;
  readonly session: Buffer | undefined;
}

/** A handshake, and what the edge makes of it; rejects where the connection is cut. */
function meet(port: number, options: ConnectionOptions): Promise<Met> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    let text = '';
    let resumed = false;
    let session: Buffer | undefined;
    socket.on('error', reject);
    socket.on('secureConnect', () => {
      resumed = socket.isSessionReused();
    });
    socket.on('session', made => {
      session = made;
    });
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    socket.on('close', () => {
      if (text === '') reject(new Error('cut'));
      else resolve({ told: JSON.parse(text) as Met['told'], resumed, session });
    });
  });
}

const versions = ['TLSv1.2', 'TLSv1.3'] as const;
const only = (version: (typeof versions)[number]): ConnectionOptions => ({
  minVersion: version,
  maxVersion: version,
});

describe.each(versions)('client certificates over %s', version => {
  it('are asked for where a route of the host wants one, and judged by its authority', async () => {
    const policy = policyOf(clients.certificate);
    const { port } = await listen({ 'safe.com': policy, 'plain.com': undefined });
    const at = (servername: string, pair?: TestCertificate): Promise<Met> =>
      meet(port, { ...only(version), servername, ...(pair && { cert: pair.chain, key: pair.key }) });
    expect((await at('safe.com')).told).toEqual({
      policy: policy.id,
      verified: 'NONE',
      subject: '',
      issuer: '',
      pem: '',
    });
    expect((await at('safe.com', good)).told).toEqual({
      policy: policy.id,
      verified: 'SUCCESS',
      subject: 'CN=alice',
      issuer: 'CN=Client CA',
      pem: good.chain,
    });
    expect((await at('safe.com', strange)).told).toMatchObject({
      verified: 'FAILED:unable to verify the first certificate',
      subject: 'CN=mallory',
    });
    expect((await at('plain.com', good)).told).toBe('not asked');
    expect((await at('other.com', good)).told).toBe('not asked');
  });

  it('that have expired, are revoked, or are too far from their authority, fail', async () => {
    const expired = await clients.issue(['bob'], { notAfterMs: Date.now() - 1_000 });
    const { authority, revocationList: crl } = revocation;
    const { port } = await listen({
      'safe.com': policyOf(clients.certificate),
      'listed.com': policyOf(authority, { crl }),
    });
    const at = async (servername: string, cert: string, key: string): Promise<unknown> =>
      ((await meet(port, { ...only(version), servername, cert, key })).told as { verified: string }).verified;
    expect(await at('safe.com', expired.chain, expired.key)).toBe('FAILED:certificate has expired');
    expect(await at('listed.com', revocation.goodCertificate, revocation.goodKey)).toBe('SUCCESS');
    expect(await at('listed.com', revocation.revokedCertificate, revocation.revokedKey)).toBe(
      'FAILED:certificate revoked',
    );
  });

  it('are never taken from a session: of another host, of the same one, or of a time before the policy', async () => {
    const safe = policyOf(clients.certificate);
    const other = policyOf(others.certificate, { mode: 'optional' });
    const { port, setTable } = await listen({ 'safe.com': safe, 'other.com': other, 'plain.com': undefined });
    const pair = { cert: good.chain, key: good.key };
    const from = async (servername: string, session?: Buffer, more: ConnectionOptions = {}): Promise<Met> =>
      meet(port, { ...only(version), servername, ...more, ...(session && { session }) });
    // Sessions are resumed where nobody is asked for a certificate.
    const plain = await from('plain.com');
    expect((await from('plain.com', plain.session)).resumed).toBe(true);
    for (const [first, next, verified] of [
      ['plain.com', 'safe.com', 'NONE'],
      ['other.com', 'safe.com', 'NONE'],
      ['safe.com', 'safe.com', 'NONE'],
      ['safe.com', 'other.com', 'NONE'],
    ] as const) {
      const { session } = await from(first, undefined, pair);
      const met = await from(next, session);
      expect(met).toMatchObject({ resumed: false, told: { verified } });
    }
    setTable({ ...emptyTable, hosts: new Map([['plain.com', routesOf('plain.com', safe)]]) });
    expect(await from('plain.com', plain.session)).toMatchObject({
      resumed: false,
      told: { policy: safe.id, verified: 'NONE' },
    });
  });

  it('are asked for however the ClientHello is cut; where it cannot be read, nothing is served', async () => {
    const policy = policyOf(clients.certificate);
    const { port } = await listen({ 'safe.com': policy });
    const through = async (size: number): Promise<Met> =>
      meet(await cuttingProxy(port, size), {
        ...only(version),
        servername: 'safe.com',
        cert: good.chain,
        key: good.key,
      });
    expect((await through(100)).told).toMatchObject({ policy: policy.id, verified: 'SUCCESS' });
    // More records than are put together here; OpenSSL puts them together all the same.
    await expect(through(4)).rejects.toThrow();
  });
});

describe('settings of a host', () => {
  const settings: HostTlsSettings = {
    id: 'narrow',
    minVersion: 'TLSv1.3',
    maxVersion: undefined,
    ciphers: undefined,
    curves: 'P-256',
    alpn: ['http/1.1'],
    clientCertificate: undefined,
  };

  it('hold for that host alone, and its sessions are resumed there and nowhere else', async () => {
    const { port, setTable } = await listen({});
    const entry = { kind: 'default', reason: 'none', settings } as const;
    setTable({ ...emptyTable, sni: new Map([['narrow.com', entry]]) });
    const old = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
    await expect(meet(port, { servername: 'narrow.com', ...old })).rejects.toThrow();
    await expect(meet(port, { servername: 'narrow.com', ecdhCurve: 'X25519' })).rejects.toThrow();
    await expect(meet(port, { servername: 'narrow.com', ALPNProtocols: ['h2'] })).rejects.toThrow();
    expect((await meet(port, { servername: 'wide.com', ...old })).told).toBe('not asked');
    const { session } = await meet(port, { servername: 'narrow.com', ecdhCurve: 'P-256' });
    const again = (servername: string): Promise<Met> =>
      meet(port, { servername, ...(session && { session }) });
    expect((await again('narrow.com')).resumed).toBe(true);
    expect((await again('wide.com')).resumed).toBe(false);
  });

  it('do not go below the version of the flag', async () => {
    const { port, setTable } = await listen({}, { ...defaultTlsSettings, minVersion: 'TLSv1.3' });
    const low = { ...settings, minVersion: 'TLSv1.2', curves: undefined } as const;
    const entry = { kind: 'default', reason: 'none', settings: low } as const;
    const none = { ...low, id: 'none', maxVersion: 'TLSv1.2' } as const;
    setTable({
      ...emptyTable,
      sni: new Map([
        ['low.com', entry],
        ['none.com', { ...entry, settings: none }],
      ]),
    });
    const old = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
    await expect(meet(port, { servername: 'low.com', ...old })).rejects.toThrow();
    await expect(meet(port, { servername: 'none.com', ...old })).rejects.toThrow();
    expect((await meet(port, { servername: 'low.com' })).told).toBe('not asked');
  });

  it('ask for a certificate where they say so', async () => {
    const { port, setTable } = await listen({});
    const clientCertificate = policyOf(clients.certificate);
    const entry = { kind: 'default', reason: 'none', settings: { ...settings, clientCertificate } } as const;
    setTable({ ...emptyTable, sni: new Map([['*.narrow.com', entry]]) });
    const pair = { cert: good.chain, key: good.key };
    expect((await meet(port, { servername: 'a.narrow.com', ...pair })).told).toMatchObject({
      policy: clientCertificate.id,
      verified: 'SUCCESS',
    });
  });
});

describe('a policy that cannot be honoured', () => {
  it('makes no handshake on its host, and others go on', async () => {
    const { port } = await listen({ 'safe.com': policyOf('no certificate'), 'plain.com': undefined });
    await expect(meet(port, { servername: 'safe.com' })).rejects.toThrow();
    expect((await meet(port, { servername: 'plain.com' })).told).toBe('not asked');
  });
});

/** Passes the bytes on, the first record of the client as many records of so many bytes. */
async function cuttingProxy(port: number, size: number): Promise<number> {
  return listenOn(
    createServer(client => {
      const upstream = connectTcp(port, '127.0.0.1');
      client.on('error', () => {});
      upstream.on('error', () => {});
      client.on('close', () => upstream.destroy());
      upstream.on('close', () => client.end().resume());
      client.once('data', (hello: Buffer) => {
        const message = hello.subarray(5);
        for (let at = 0; at < message.length; at += size) {
          const part = message.subarray(at, at + size);
          upstream.write(Buffer.concat([Buffer.from([22, 3, 1, 0, part.length]), part]));
        }
        client.pipe(upstream);
      });
      upstream.pipe(client);
    }),
  );
}

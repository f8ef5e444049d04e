import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../edge/ask.ts';
import { type EdgeBed, prepareBed } from '../edge/bed.ts';
import { nginx, pairSecret, secret, serviceAt, site } from '../edge/objects.ts';
import {
  type RealAnswer,
  type RealPort,
  type RealServer,
  realPorts,
  startHaproxy,
  startNginx,
} from '../edge/real-servers.ts';
import { startRequestLoop } from '../harness/request-loop.ts';
import { createTestAuthority, type TestAuthority } from '../harness/test-authority.ts';
import { upstreamAddresses } from '../netns.ts';
import { providePeers } from '../servers/peers.ts';

const servers = { nginx: upstreamAddresses[0] ?? '', haproxy: upstreamAddresses[1] ?? '' } as const;
type ServerName = keyof typeof servers;
const names = ['nginx', 'haproxy'] as const;
const certified = { 'proxy-ssl-secret': 'default/edge-client' };

/** Upstreams that are nobody's of this repository: nginx and HAProxy of Debian, with TLS 1.3 alone. */
describe('TLS to real servers', () => {
  let bed: EdgeBed;
  let inner: TestAuthority;
  let clients: TestAuthority;
  const started = new Map<ServerName, RealServer>();

  beforeAll(async () => {
    const peers = await providePeers();
    bed = await prepareBed('standalone');
    [inner, clients] = await Promise.all([
      createTestAuthority('e2e upstreams'),
      createTestAuthority('e2e clients'),
    ]);
    const dnsNames = ['upstream.internal'];
    const identities = {
      mutual: await inner.issue({ commonName: 'mutual', dnsNames }),
      expired: await inner.issue({ commonName: 'expired', dnsNames, notAfterMs: Date.now() - 60_000 }),
      misnamed: await inner.issue({ commonName: 'misnamed', dnsNames: ['elsewhere.internal'] }),
    };
    for (const name of names) {
      const start = name === 'nginx' ? startNginx : startHaproxy;
      const options = {
        peers,
        dir: join(bed.dir, name),
        address: servers[name],
        identities,
        clientsCa: clients.caPem,
      };
      started.set(name, await start(options));
    }
    await bed.apply(
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'IngressClass',
        metadata: { name: 'postern' },
        spec: { controller: 'postern.dev/ingress' },
      } as Parameters<EdgeBed['apply']>[0],
      pairSecret('edge-client', await clients.issue({ commonName: 'edge-0' }), inner.caPem),
      secret('inner-ca', { 'ca.crt': inner.caPem }),
      ...names.flatMap(name => [
        ...ports().flatMap(port => serviceAt(`${name}-${port}`, realPorts[port], servers[name])),
        to(name, 'mutual', 'certified', certified),
        to(name, 'mutual', 'uncertified', { 'proxy-ssl-secret': 'default/inner-ca' }),
        to(name, 'mutual', 'old', { ...certified, 'proxy-ssl-protocols': 'TLSv1.2' }),
        to(name, 'expired', 'expired', certified),
        to(name, 'misnamed', 'misnamed', certified),
      ]),
      to('haproxy', 'mutual', 'grpcs', { ...certified, 'backend-protocol': 'GRPCS' }),
    );
    await bed.start(['--components', 'edge']);
  });

  afterAll(async () => {
    for (const server of started.values()) await server.stop();
    await bed?.stop();
  });

  it.each(names)('%s, TLS 1.3 and a client certificate: both are spoken', async name => {
    expect(await answerOf(`${name}-certified`)).toEqual({
      server: name,
      tls: 'TLSv1.3',
      sni: 'upstream.internal',
      client: expect.stringContaining('CN=edge-0'),
      version: 'HTTP/1.1',
    });
  });

  it('HAProxy by HTTP/2', async () => {
    expect(await answerOf('haproxy-grpcs')).toMatchObject({
      client: expect.stringContaining('CN=edge-0'),
      version: 'HTTP/2.0',
    });
  });

  it.each([
    ['nginx', 400], // nginx says so by HTTP
    ['haproxy', 502],
  ])('%s refuses a connection without the client certificate: %d', async (name, status) => {
    expect((await ask({ host: `${name}-uncertified.example.com` })).status).toBe(status);
  });

  it.each(
    names.flatMap(name => [
      [name, 'expired', 'CERT_HAS_EXPIRED'] as const,
      [name, 'misnamed', 'ERR_TLS_CERT_ALTNAME_INVALID'] as const,
    ]),
  )('%s with an %s certificate: 502, an event, and no request reaches it', async (name, what, code) => {
    const before = await requestsTo(name, what);
    for (let count = 0; count < 3; count += 1)
      expect(
        (await ask({ host: `${name}-${what}.example.com`, method: 'POST', body: 'a secret' })).status,
      ).toBe(502);
    expect(await requestsTo(name, what)).toBe(before);
    const told = await bed.eventually('it is told', async () => {
      const found = (await bed.warnings()).filter(
        ({ involvedObject }) => involvedObject.name === `${name}-${what}`,
      );
      return found.length > 0 && found;
    });
    expect(told.map(({ reason }) => reason)).toEqual(['UpstreamTLSFailed']);
    expect(told[0]?.message).toContain(code);
  });

  it.each(names)('%s and an upstream TLS policy of TLS 1.2 alone: 502', async name => {
    expect((await ask({ host: `${name}-old.example.com` })).status).toBe(502);
  });

  it('the client certificate is rotated while requests run: none of them fails', async () => {
    const seen = new Set<string>();
    const loops = [...names.map(name => `${name}-certified`), 'haproxy-grpcs'].map(host =>
      startRequestLoop(async () => {
        const { client } = await answerOf(host);
        seen.add(`${host} ${/CN=(edge-\d)/.exec(client)?.[1]}`);
      }, 5),
    );
    const rotations = [1, 2, 3, 4];
    for (const count of rotations) {
      await bed.apply(
        pairSecret('edge-client', await clients.issue({ commonName: `edge-${count}` }), inner.caPem),
      );
      await bed.eventually(`edge-${count} is shown to all`, async () =>
        [...names.map(name => `${name}-certified`), 'haproxy-grpcs'].every(host =>
          seen.has(`${host} edge-${count}`),
        ),
      );
    }
    for (const loop of loops) expect(await loop.stop()).toBeGreaterThan(rotations.length);
  });

  async function answerOf(site: string): Promise<RealAnswer> {
    const { status, body } = await ask({ host: `${site}.example.com` });
    if (status !== 200) throw new Error(`${site} answers ${status}: ${body}`);
    return JSON.parse(body) as RealAnswer;
  }

  async function requestsTo(name: ServerName, port: RealPort): Promise<number> {
    const text = await readFile(started.get(name)?.logFile ?? '', 'utf8');
    return text.split('\n').filter(line => line.startsWith(`request ${realPorts[port]} `)).length;
  }
});

function ports(): RealPort[] {
  return Object.keys(realPorts) as RealPort[];
}

/** A site that leads to a port of a server by verified HTTPS. */
function to(server: ServerName, port: RealPort, what: string, annotations: Readonly<Record<string, string>>) {
  const name = `${server}-${what}`;
  const ingress = site(`${name}.example.com`, {
    annotations: nginx({
      'backend-protocol': 'HTTPS',
      'proxy-ssl-name': 'upstream.internal',
      ...annotations,
    }),
  });
  for (const path of ingress.spec?.rules?.[0]?.http?.paths ?? [])
    path.backend = { service: { name: `${server}-${port}`, port: { number: realPorts[port] } } };
  return ingress;
}

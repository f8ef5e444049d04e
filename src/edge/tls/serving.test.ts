import { Agent } from 'node:https';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../api/meta.ts';
import { makeAuthority, type TestAuthority, type TestCertificate } from '../certificates.testing.ts';
import { certificateOf, send } from '../clients.testing.ts';
import { anIngress, aSecret } from '../compile/builders.testing.ts';
import { loopbackService, startTestEdge, type TestEdge } from '../edge.testing.ts';
import type { EdgeConfig } from '../options.ts';
import { startUpstream } from '../upstreams.testing.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(one => one.close()));
});

let authority: TestAuthority;
beforeAll(async () => {
  authority = await makeAuthority();
});

function tlsSecret(name: string, { chain, key }: TestCertificate): KubeObject {
  return aSecret(name, { 'tls.crt': chain, 'tls.key': key });
}

async function edgeWith(...objects: KubeObject[]): Promise<TestEdge> {
  return edgeOf({}, ...objects);
}

async function edgeOf(config: EdgeConfig, ...objects: KubeObject[]): Promise<TestEdge> {
  const upstream = await startUpstream((_request, response) => response.end('hello'));
  const started = await startTestEdge([...loopbackService('web', upstream.port), ...objects], config);
  open.push({ close: () => started.edge.stop() }, upstream);
  return started;
}

const site = anIngress({
  rules: { 'foo.com': [['/', 'Prefix']] },
  tls: [{ hosts: ['foo.com'], secretName: 'foo' }],
});

describe('certificates', () => {
  it('statement 15: SNI picks the certificate, Host picks the route', async () => {
    const foo = await authority.issue(['foo.com']);
    const bar = anIngress({ name: 'bar', rules: { 'bar.com': [['/bar', 'Exact']] } });
    const { httpsPort } = await edgeWith(site, bar, tlsSecret('foo', foo));
    const ca = authority.certificate;
    const answer = await send({
      port: httpsPort,
      host: 'bar.com',
      path: '/bar',
      tls: { ca, serverName: 'foo.com' },
    });
    expect(answer).toMatchObject({ status: 200, body: 'hello' });
  });

  it('statement 16: exact name, wildcard, default, in real handshakes; and a chain that verifies', async () => {
    const [foo, wild] = await Promise.all([authority.issue(['foo.com']), authority.issue(['*.foo.com'])]);
    const wildcard = anIngress({
      name: 'w',
      rules: { '*.foo.com': [['/', 'Prefix']] },
      tls: [{ hosts: ['*.foo.com'], secretName: 'wild' }],
    });
    const { httpsPort } = await edgeWith(site, wildcard, tlsSecret('foo', foo), tlsSecret('wild', wild));
    const names = ['foo.com', 'FOO.com', 'b.foo.com', 'a.b.foo.com', 'other.com', undefined];
    const subjects = await Promise.all(
      names.map(async name => (await certificateOf(httpsPort, name)).subject['CN']),
    );
    const fallback = 'Postern default certificate';
    expect(subjects).toEqual(['foo.com', 'foo.com', '*.foo.com', fallback, fallback, fallback]);
    const verified = await send({ port: httpsPort, tls: { ca: authority.certificate } });
    expect(verified.status).toBe(200);
  });

  it('statement 16: a Secret turned bad: the default certificate and an event, and the route stays', async () => {
    const foo = await authority.issue(['foo.com']);
    const edge = await edgeWith(site, tlsSecret('foo', foo));
    const before = edge.edge.table();
    edge.apply(aSecret('foo', { 'tls.crt': foo.chain, 'tls.key': 'damaged' }));
    await edge.until(() => edge.edge.table() !== before);
    expect((await certificateOf(edge.httpsPort, 'foo.com')).subject['CN']).toBe(
      'Postern default certificate',
    );
    expect((await send({ port: edge.httpsPort, tls: {} })).status).toBe(200);
    await expect
      .poll(() => edge.events)
      .toEqual([expect.stringContaining('site SecretInvalid: Secret "default/foo"')]);
  });

  it('statement 16: a Secret that comes later is served within a second of its coming', async () => {
    const edge = await edgeWith(site);
    expect((await certificateOf(edge.httpsPort, 'foo.com')).subject['CN']).toBe(
      'Postern default certificate',
    );
    edge.apply(tlsSecret('foo', await authority.issue(['foo.com'])));
    const appliedAt = performance.now();
    await expect
      .poll(async () => (await certificateOf(edge.httpsPort, 'foo.com')).subject['CN'], { interval: 5 })
      .toBe('foo.com');
    expect(performance.now() - appliedAt).toBeLessThan(1_000);
  });

  it('a certificate the TLS library refuses, though it parses, becomes the default one', async () => {
    const edge = await edgeWith(site, tlsSecret('foo', await authority.issue(['foo.com'])));
    // A table whose key passed the checks and is no key to OpenSSL cannot come out of the compiler: it is bent here.
    const entry = edge.edge.table().sni.get('foo.com');
    if (entry?.kind !== 'certificate') throw new Error('no certificate');
    Object.defineProperties(entry.certificate, {
      id: { value: 'bent' },
      chain: { value: 'not a certificate' },
    });
    expect((await certificateOf(edge.httpsPort, 'foo.com')).subject['CN']).toBe(
      'Postern default certificate',
    );
    expect(
      edge.logs.some(({ level, message }) => level === 'warn' && message.includes('cannot be served')),
    ).toBe(true);
  });

  it('the default certificate is that of the flag, follows its Secret, and stands in without SNI too', async () => {
    const config = { defaultCertificate: { namespace: 'default', name: 'fallback' } };
    const foo = tlsSecret('foo', await authority.issue(['foo.com']));
    const edge = await edgeOf(config, site, foo);
    const served = async (): Promise<unknown[]> =>
      Promise.all(
        ['foo.com', 'other.com', undefined].map(
          async name => (await certificateOf(edge.httpsPort, name)).subject['CN'],
        ),
      );
    const own = 'Postern default certificate';
    expect(await served()).toEqual(['foo.com', own, own]);
    expect(edge.logs.map(({ message }) => message)).toContainEqual(
      expect.stringContaining('--default-ssl-certificate'),
    );
    edge.apply(tlsSecret('fallback', await authority.issue(['one.com'])));
    expect(await served()).toEqual(['foo.com', 'one.com', 'one.com']);
    const second = tlsSecret('fallback', await authority.issue(['two.com']));
    edge.apply(second);
    expect(await served()).toEqual(['foo.com', 'two.com', 'two.com']);
    edge.remove(second);
    expect(await served()).toEqual(['foo.com', own, own]);
  });

  it('a certificate is exchanged under load on living connections, and no request fails', async () => {
    const certificates = await Promise.all([1, 2, 3, 4].map(() => authority.issue(['foo.com'])));
    const [first, ...later] = certificates;
    if (first === undefined) throw new Error('none issued');
    const edge = await edgeWith(site, tlsSecret('foo', first));
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    const fresh = (): Promise<number> =>
      send({ port: edge.httpsPort, tls: { ca: authority.certificate } }).then(({ status }) => status);
    const kept = (): Promise<number> =>
      send({ port: edge.httpsPort, tls: { ca: authority.certificate }, agent }).then(({ status }) => status);
    const load = { running: true };
    const statuses: number[] = [];
    const runLoad = async (one: () => Promise<number>): Promise<void> => {
      while (load.running) statuses.push(await one());
    };
    const loads = [runLoad(kept), runLoad(kept), runLoad(kept), runLoad(fresh)];
    for (const certificate of later) {
      const before = edge.edge.table();
      const served = statuses.length;
      edge.apply(tlsSecret('foo', certificate));
      await edge.until(() => edge.edge.table() !== before);
      await expect.poll(() => statuses.length - served).toBeGreaterThan(30);
    }
    load.running = false;
    await Promise.all(loads);
    agent.destroy();
    expect(new Set(statuses)).toEqual(new Set([200]));
    const last = await certificateOf(edge.httpsPort, 'foo.com');
    expect(certificates.at(-1)?.chain).toContain(last.raw.toString('base64').slice(0, 60));
  });
});

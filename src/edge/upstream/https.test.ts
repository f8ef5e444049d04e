import type { TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../../api/meta.ts';
import { makeAuthority, type TestAuthority, type TestCertificate } from '../certificates.testing.ts';
import { send } from '../clients.testing.ts';
import { anIngress, aSecret } from '../compile/builders.testing.ts';
import { loopbackService, startTestEdge, type TestEdge } from '../edge.testing.ts';
import { startUpstream } from '../upstreams.testing.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(one => one.close()));
});

let authority: TestAuthority;
let stranger: TestAuthority;
let service: TestCertificate;
beforeAll(async () => {
  [authority, stranger] = await Promise.all([makeAuthority('Upstream CA'), makeAuthority('Another CA')]);
  service = await authority.issue(['web.default.svc']);
});

const nginx = 'nginx.ingress.kubernetes.io/';

interface Setup {
  readonly annotations?: Record<string, string>;
  readonly certificate?: TestCertificate;
  readonly secret?: Record<string, string>;
  /** The upstream asks for a client certificate of this authority. */
  readonly clientCa?: string;
  readonly objects?: readonly KubeObject[];
}

/** An edge before an HTTPS upstream that answers with the SNI it got and the name of the client. */
async function edgeWith({
  annotations = {},
  certificate = service,
  secret,
  clientCa,
  objects,
}: Setup): Promise<TestEdge> {
  const upstream = await startUpstream(
    (request, response) => {
      const socket = request.socket as TLSSocket;
      const client = socket.getPeerCertificate().subject?.['CN'] ?? null;
      response.end(JSON.stringify({ sni: socket.servername, client, reused: socket.isSessionReused() }));
    },
    {
      cert: certificate.chain,
      key: certificate.key,
      ...(clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
    },
  );
  const all = { 'backend-protocol': 'HTTPS', ...annotations };
  const ingress = anIngress({
    rules: { 'foo.com': [['/', 'Prefix']] },
    annotations: Object.fromEntries(Object.entries(all).map(([name, value]) => [nginx + name, value])),
  });
  const secrets = secret === undefined ? [] : [aSecret('up', secret)];
  const started = await startTestEdge([
    ingress,
    ...secrets,
    ...(objects ?? loopbackService('web', upstream.port)),
  ]);
  open.push({ close: () => started.edge.stop() }, upstream);
  return started;
}

const withCa = { 'proxy-ssl-secret': 'default/up' };

describe('HTTPS upstreams', () => {
  it('are verified by the CA given and the name of the Service, which is sent as SNI', async () => {
    const { httpPort, httpsPort } = await edgeWith({
      annotations: withCa,
      secret: { 'ca.crt': authority.certificate },
    });
    for (const request of [{ port: httpPort }, { port: httpsPort, tls: {} }]) {
      const answer = await send(request);
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.body)).toMatchObject({ sni: 'web.default.svc', client: null });
    }
  });

  it('are verified by the authorities of the system where none is given: an own CA is refused, with an event', async () => {
    const { httpPort, events } = await edgeWith({});
    for (let round = 0; round < 3; round += 1) expect((await send({ port: httpPort })).status).toBe(502);
    expect(events).toEqual([
      expect.stringMatching(
        /^site UpstreamTLSFailed: TLS to Service "default\/web:80" was refused .*proxy-ssl-secret/,
      ),
    ]);
  });

  it('of another authority are refused', async () => {
    const { httpPort, events } = await edgeWith({
      annotations: withCa,
      secret: { 'ca.crt': stranger.certificate },
    });
    expect((await send({ port: httpPort, method: 'POST', body: 'secret' })).status).toBe(502);
    expect(events).toHaveLength(1);
  });

  it('with another name are refused, and proxy-ssl-name says which name is right', async () => {
    const certificate = await authority.issue(['app.internal']);
    const secret = { 'ca.crt': authority.certificate };
    const wrong = await edgeWith({ annotations: withCa, certificate, secret });
    expect((await send({ port: wrong.httpPort })).status).toBe(502);
    const right = await edgeWith({
      annotations: { ...withCa, 'proxy-ssl-name': 'app.internal' },
      certificate,
      secret,
    });
    const answer = await send({ port: right.httpPort });
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      200,
      expect.objectContaining({ sni: 'app.internal' }),
    ]);
  });

  it('that are expired are refused', async () => {
    const certificate = await authority.issue(['web.default.svc'], { notAfterMs: Date.now() - 60_000 });
    const { httpPort } = await edgeWith({
      annotations: withCa,
      certificate,
      secret: { 'ca.crt': authority.certificate },
    });
    expect((await send({ port: httpPort })).status).toBe(502);
  });

  it('without SNI, where it is off, are verified by their name all the same', async () => {
    const annotations = { ...withCa, 'proxy-ssl-server-name': 'off' };
    const secret = { 'ca.crt': authority.certificate };
    const answer = await send({ port: (await edgeWith({ annotations, secret })).httpPort });
    expect([answer.status, JSON.parse(answer.body)]).toEqual([200, expect.objectContaining({ sni: false })]);
    const certificate = await authority.issue(['other.internal']);
    expect(
      (await send({ port: (await edgeWith({ annotations, secret, certificate })).httpPort })).status,
    ).toBe(502);
  });

  it('are not verified where someone wrote off, and only there', async () => {
    const { httpPort, events } = await edgeWith({ annotations: { 'proxy-ssl-verify': 'off' } });
    expect((await send({ port: httpPort })).status).toBe(200);
    expect(events).toEqual([expect.stringContaining('site UpstreamTLSUnverified: ')]);
  });

  it('get the client certificate of the Secret', async () => {
    const client = await authority.issue(['edge-client']);
    const secret = { 'ca.crt': authority.certificate, 'tls.crt': client.chain, 'tls.key': client.key };
    const { httpPort } = await edgeWith({ annotations: withCa, secret, clientCa: authority.certificate });
    expect(JSON.parse((await send({ port: httpPort })).body)).toMatchObject({ client: 'edge-client' });
  });

  it('a Secret that changes is in effect with the next connection, and one that goes closes the route', async () => {
    const edge = await edgeWith({ annotations: withCa, secret: { 'ca.crt': stranger.certificate } });
    const change = async (act: () => void): Promise<number> => {
      const before = edge.edge.table();
      act();
      await edge.until(() => edge.edge.table() !== before);
      return (await send({ port: edge.httpPort })).status;
    };
    expect((await send({ port: edge.httpPort })).status).toBe(502);
    expect(await change(() => edge.apply(aSecret('up', { 'ca.crt': authority.certificate })))).toBe(200);
    expect(await change(() => edge.apply(aSecret('up', { 'ca.crt': stranger.certificate })))).toBe(502);
    expect(await change(() => edge.remove(aSecret('up', {})))).toBe(503);
  });

  it('that speak no TLS are answered with 502, never in plaintext', async () => {
    let plain = 0;
    const upstream = await startUpstream((_request, response) => {
      plain += 1;
      response.end();
    });
    open.push(upstream);
    const { httpPort } = await edgeWith({
      annotations: { 'proxy-ssl-verify': 'off' },
      objects: loopbackService('web', upstream.port),
    });
    expect((await send({ port: httpPort })).status).toBe(502);
    expect(plain).toBe(0);
  });
});

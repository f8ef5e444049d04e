import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ingresses } from '../../src/api/kubernetes/ingress.ts';
import { type Environment, startEnvironment, upstreams } from '../harness/environment.ts';
import { type HttpAnswer, httpGet } from '../harness/http-get.ts';
import type { HttpsAnswer } from '../harness/https-get.ts';
import { linesToTest } from '../harness/lines.ts';
import { ingress, ingressClass, serviceTo, tlsSecret } from '../harness/manifests.ts';
import { type ObjectView, serialText, viewOf } from '../harness/object-view.ts';
import { startRequestLoop } from '../harness/request-loop.ts';
import { createTestAuthority, type TestAuthority } from '../harness/test-authority.ts';
import { type SeenRequest, startUpstream, type Upstream } from '../harness/upstream.ts';
import { edgeAddress, upstreamAddresses } from '../netns.ts';

const lines = await linesToTest();
const port = 8080;
const [one, two, three] = (['one', 'two', 'three'] as const).map((name, index) => ({
  name,
  port,
  address: upstreamAddresses[2 + index] ?? '',
})) as [Target, Target, Target];
const secure = { name: 'secure', port: upstreams.secure.port };
const secretName = 'sites';
const nginx = (name: string): string => `nginx.ingress.kubernetes.io/${name}`;

interface Target {
  readonly name: string;
  readonly port: number;
  readonly address: string;
}

describe.each(lines)('edge on Kubernetes %s', line => {
  let environment: Environment;
  let view: ObjectView;
  let authority: TestAuthority;
  let ca: readonly string[];
  const started: Upstream[] = [];

  beforeAll(async () => {
    environment = await startEnvironment({ line, posternArgs: ['--ingress-class', 'nginx'] });
    view = viewOf(environment.api);
    authority = await createTestAuthority('e2e sites');
    ca = [authority.caPem];
    for (const target of [one, two, three]) started.push(await startUpstream(target));
    await apply(
      tlsSecret(secretName, await authority.issue({ commonName: 'sites', dnsNames: ['*.example.com'] })),
      ...[one, two, three].map(target => serviceTo(line, target.name, target)),
    );
  });

  afterAll(async () => {
    for (const upstream of started) await upstream.stop();
    await environment?.stop();
  });

  const apply = (...manifests: readonly string[]): Promise<string> =>
    environment.cluster.apply(manifests.join('\n---\n'));

  const get = (host: string, path = '/'): Promise<HttpsAnswer> => environment.get(host, { path, ca });
  const getPlain = (host: string, path = '/'): Promise<HttpAnswer> =>
    httpGet({ host, address: edgeAddress, port: 80, path });
  const upstreamOf = ({ body }: { readonly body: string }): string =>
    (JSON.parse(body) as SeenRequest).upstream;

  /** Waits until a host is answered over verified HTTPS with this status. */
  const answers = (host: string, status = 200, path = '/'): Promise<HttpsAnswer> =>
    environment.eventually(`https://${host}${path} answers ${status}`, async () => {
      const answer = await get(host, path);
      return answer.status === status && answer;
    });

  const eventOn = (name: string, reason: string) =>
    environment.eventually(
      `Ingress ${name} has the event ${reason}`,
      async () => (await view.eventsOn(name, reason))[0],
    );

  it('an Ingress is served where its class is ours, by IngressClass or by --ingress-class, and not otherwise', async () => {
    const byAnnotation = { 'kubernetes.io/ingress.class': 'nginx' };
    await apply(
      ingressClass('other', 'example.com/other'),
      ingress({ name: 'other', host: 'other.example.com', secretName, ingressClassName: 'other' }),
      ingress({ name: 'unknown', host: 'unknown.example.com', secretName, ingressClassName: 'unknown' }),
      ingress({ name: 'classless', host: 'classless.example.com', secretName, ingressClassName: null }),
      ingress({ name: 'field', host: 'field.example.com', secretName, ingressClassName: 'nginx' }),
      ingress({
        name: 'annotation',
        host: 'annotation.example.com',
        secretName,
        ingressClassName: null,
        annotations: byAnnotation,
      }),
      ingress({ name: 'ours', host: 'ours.example.com', secretName }), // the last one to be seen
    );
    for (const host of ['ours', 'field', 'annotation']) await answers(`${host}.example.com`);
    for (const host of ['other', 'unknown', 'classless']) {
      expect(await getPlain(`${host}.example.com`)).toMatchObject({ status: 404 });
    }
  });

  it('plain HTTP is redirected where the Ingress has TLS, but for the path of ACME', async () => {
    const host = 'redirect.example.com';
    await apply(
      ingress({ name: 'no-tls', host: 'no-tls.example.com', secretName: null }),
      ingress({ name: 'redirect', host, secretName }),
    );
    await answers(host);
    expect(await getPlain(host, '/a/b?c=d')).toMatchObject({
      status: 308,
      location: 'https://redirect.example.com/a/b?c=d',
    });
    const challenge = '/.well-known/acme-challenge/some-token';
    const answer = await getPlain(host, challenge);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ upstream: 'plain', path: challenge });
    expect(await getPlain('no-tls.example.com')).toMatchObject({ status: 200 });
  });

  it('hosts and paths lead where the rules of Ingress say', async () => {
    await apply(
      ingress({
        name: 'table',
        host: 'table.example.com',
        secretName: null,
        paths: [
          ['/', 'Prefix', one],
          ['/aaa/bbb', 'Prefix', two],
          ['/foo', 'Exact', three],
        ],
      }),
      ingress({ name: 'wild', host: '*.wild.example.com', secretName: null, service: two }),
      ingress({
        name: 'precise',
        host: 'precise.wild.example.com',
        secretName: null,
        paths: [['/only', 'Prefix', three]],
      }),
    );
    await environment.eventually('the last one is routed', async () => {
      // Until it is, the wildcard answers.
      const answer = await getPlain('precise.wild.example.com', '/only');
      return answer.status === 200 && upstreamOf(answer) === 'three';
    });
    const cases: readonly (readonly [host: string, path: string, upstream: string | undefined])[] = [
      ['table.example.com', '/', 'one'],
      ['table.example.com', '/ccc', 'one'],
      ['table.example.com', '/foo', 'three'],
      ['table.example.com', '/foo?x=/aaa/bbb', 'three'],
      ['table.example.com', '/foo/', 'one'],
      ['table.example.com', '/FOO', 'one'],
      ['table.example.com', '/aaa/bbb', 'two'],
      ['table.example.com', '/aaa/bbb/ccc', 'two'],
      ['table.example.com', '/aaa/bbbxyz', 'one'],
      ['TABLE.example.com:80', '/', 'one'],
      ['table.example.com.', '/', 'one'],
      ['bar.wild.example.com', '/', 'two'],
      ['precise.wild.example.com', '/only/this', 'three'],
      ['precise.wild.example.com', '/', undefined], // does not fall through to the wildcard
      ['a.b.wild.example.com', '/', undefined],
      ['wild.example.com', '/', undefined],
      ['10.77.0.10', '/', undefined],
    ];
    const found = await Promise.all(
      cases.map(async ([host, path]) => {
        const answer = await getPlain(host, path);
        return [host, path, answer.status === 200 ? upstreamOf(answer) : undefined];
      }),
    );
    expect(found).toEqual(cases);
  });

  it.each([
    ['plain', { name: 'plain', port: upstreams.plain.port }],
    ['secure', secure],
  ])('a WebSocket over HTTPS reaches the %s upstream', async (name, service) => {
    const host = `socket-${name}.example.com`;
    await apply(
      upstreamCa(),
      ingress({
        name: `socket-${name}`,
        host,
        secretName,
        service,
        annotations: name === 'secure' ? verified('upstream.internal') : {},
      }),
    );
    await answers(host);
    const socket = new WebSocket(`wss://${edgeAddress}/`, {
      headers: { host },
      agent: new Agent({ servername: host, ca: [...ca] }),
    });
    try {
      await once(socket, 'open');
      const answer = once(socket, 'message');
      socket.send('are you there?');
      expect(String(await answer)).toBe(`${name}: are you there?`);
    } finally {
      socket.terminate();
    }
  });

  it('a changed Secret is served, and open connections go on', async () => {
    const host = 'rotating.example.com';
    const identities = [
      await authority.issue({ commonName: 'before', dnsNames: [host] }),
      await authority.issue({ commonName: 'after', dnsNames: [host] }),
    ] as const;
    await apply(
      tlsSecret('rotating', identities[0]),
      ingress({ name: 'rotating', host, secretName: 'rotating' }),
    );
    await answers(host);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      const before = await getBy(agent, host, ca);
      expect(before).toMatchObject({ status: 200, reused: false, subject: 'before' });
      await apply(tlsSecret('rotating', identities[1]));
      const stored = await view.serial('rotating');
      await environment.eventually('the new certificate is served', async () => {
        const { certificate } = await get(host);
        return serialText(certificate.serialNumber) === stored;
      });
      expect(await getBy(agent, host, ca)).toMatchObject({ status: 200, reused: true, subject: 'before' });
    } finally {
      agent.destroy();
    }
  });

  it('endpoints that change are followed without a failed request', async () => {
    const host = 'moving.example.com';
    await apply(
      serviceTo(line, 'moving', one),
      ingress({ name: 'moving', host, secretName, service: { name: 'moving', port } }),
    );
    expect(upstreamOf(await answers(host))).toBe('one');
    const loop = startRequestLoop(async () => {
      const { status } = await get(host);
      if (status !== 200) throw new Error(`it answers ${status}`);
    });
    await apply(serviceTo(line, 'moving', two));
    await environment.eventually(
      'the other upstream is reached',
      async () => upstreamOf(await get(host)) === 'two',
    );
    await loop.stop();
    expect(upstreamOf(await get(host))).toBe('two');
  });

  it('a backend that cannot be reached is answered with 503, for its path alone', async () => {
    const host = 'partly.example.com';
    await apply(
      serviceTo(line, 'empty', { port }),
      ingress({
        name: 'partly',
        host,
        secretName,
        paths: [
          ['/', 'Prefix', one],
          ['/empty', 'Prefix', { name: 'empty', port }],
          ['/missing', 'Prefix', { name: 'missing', port }],
          ['/wrong-port', 'Prefix', { name: 'one', port: 81 }],
        ],
      }),
    );
    await answers(host);
    for (const path of ['/empty', '/missing', '/wrong-port/below']) {
      expect(await get(host, path)).toMatchObject({ status: 503 });
    }
    expect(await get(host, '/emptyish')).toMatchObject({ status: 200 });
    expect((await eventOn('partly', 'ServiceNotFound')).message).toContain('"default/missing"');
    expect((await eventOn('partly', 'ServicePortNotFound')).message).toContain('81');
  });

  it.each([
    ['nobody-knows-its-ca', {}],
    ['it-has-another-name', verified('elsewhere.internal')],
  ])('an upstream certificate that does not verify gives 502 and an event: %s', async (name, annotations) => {
    const host = `${name}.example.com`;
    await apply(
      upstreamCa(),
      ingress({
        name,
        host,
        secretName,
        service: secure,
        annotations: { [nginx('backend-protocol')]: 'HTTPS', ...annotations },
      }),
    );
    await answers(host, 502);
    const event = await eventOn(name, 'UpstreamTLSFailed');
    expect(event).toMatchObject({ type: 'Warning', involvedObject: { kind: 'Ingress' } });
    expect(event.message).toContain('proxy-ssl-');
  });

  it('an unknown backend-protocol gives 503 and an event that names it', async () => {
    await apply(
      ingress({
        name: 'protocol',
        host: 'protocol.example.com',
        secretName,
        annotations: { [nginx('backend-protocol')]: 'SPDY' },
      }),
    );
    await answers('protocol.example.com', 503);
    expect((await eventOn('protocol', 'AnnotationInvalid')).message).toMatch(
      /backend-protocol.*"SPDY".*"HTTPS"/,
    );
  });

  it('of two Ingresses that want the same, the older one wins, and the other is told', async () => {
    const host = 'contested.example.com';
    const younger = await authority.issue({ commonName: 'younger', dnsNames: [host] });
    await apply(tlsSecret('younger', younger), ingress({ name: 'z-older', host, secretName, service: one }));
    const older = await view.find(ingresses, 'z-older');
    const bornAt = Date.parse(older?.metadata.creationTimestamp ?? '');
    await environment.eventually('its second is over', async () => Date.now() > bornAt + 1_000);
    await apply(ingress({ name: 'a-younger', host, secretName: 'younger', service: two }));
    expect((await eventOn('a-younger', 'PathConflict')).message).toContain('z-older');
    expect((await eventOn('a-younger', 'TLSConflict')).message).toContain('z-older');
    const answer = await get(host);
    expect(upstreamOf(answer)).toBe('one');
    expect(answer.certificate.subject.CN).toBe('sites');

    await environment.cluster.kubectl(['delete', 'ingress', 'z-older', '-n', 'default']);
    await environment.eventually('the other is served now', async () => {
      const next = await get(host);
      return upstreamOf(next) === 'two' && next.certificate.subject.CN === 'younger';
    });
  });

  function upstreamCa(): string {
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'upstream-ca', namespace: 'default' },
      stringData: { 'ca.crt': environment.upstreamAuthority.caPem },
    });
  }
});

function verified(name: string): Record<string, string> {
  return {
    [nginx('backend-protocol')]: 'HTTPS',
    [nginx('proxy-ssl-secret')]: 'default/upstream-ca',
    [nginx('proxy-ssl-name')]: name,
  };
}

/** The first argument of the next event; rejects on `error`. */
function once(socket: WebSocket, event: 'open' | 'message'): Promise<unknown> {
  return new Promise((resolve, reject) => {
    socket.once(event, resolve);
    socket.once('error', reject);
  });
}

interface AgentAnswer {
  readonly status: number;
  /** Whether it came over a connection that was there before. */
  readonly reused: boolean;
  /** Common name in the certificate of that connection. */
  readonly subject: string;
}

/** One GET over a connection of the agent's. */
function getBy(agent: Agent, host: string, ca: readonly string[]): Promise<AgentAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      { agent, host: edgeAddress, port: 443, servername: host, headers: { host }, ca: [...ca] },
      (response: IncomingMessage) => {
        const certificate = (response.socket as TLSSocket).getPeerCertificate();
        response.resume();
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            reused: sent.reusedSocket,
            subject: String(certificate.subject.CN),
          }),
        );
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}

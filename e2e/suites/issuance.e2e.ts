import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { challenges } from '../../src/api/acme/challenge.ts';
import { certificates } from '../../src/api/cert-manager/certificate.ts';
import { certificateRequests } from '../../src/api/cert-manager/certificate-request.ts';
import { events } from '../../src/api/kubernetes/event.ts';
import { ingresses } from '../../src/api/kubernetes/ingress.ts';
import { secrets } from '../../src/api/kubernetes/secret.ts';
import { services } from '../../src/api/kubernetes/service.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import type { Resource } from '../../src/api/resource.ts';
import { createCsr } from '../../src/pki/csr.ts';
import { generatePrivateKey } from '../../src/pki/private-key.ts';
import {
  type Environment,
  type KubeJson,
  places,
  startEnvironment,
  upstreams,
} from '../harness/environment.ts';
import { linesToTest } from '../harness/lines.ts';
import { acmeClusterIssuer, caIssuer, ingress } from '../harness/manifests.ts';
import { serialText } from '../harness/object-view.ts';
import { stopPostern } from '../harness/postern.ts';
import type { SeenRequest } from '../harness/upstream.ts';

const lines = await linesToTest();

describe.each(lines)('issuance on Kubernetes %s', line => {
  let environment: Environment;

  beforeAll(async () => {
    environment = await startEnvironment({
      line,
      posternArgs: ['--default-issuer-name', 'pebble', '--default-issuer-kind', 'ClusterIssuer'],
    });
    const { cluster, pebble } = environment;
    await cluster.apply(acmeClusterIssuer('pebble', pebble.directoryUrl, pebble.rootCaPem));
    await cluster.apply(caIssuer);
  });

  afterAll(async () => {
    await environment?.stop();
  });

  const find = async (resource: Resource<KubeObject>, name: string): Promise<KubeJson | undefined> =>
    (await environment.objects(resource, 'default')).find(({ metadata }) => metadata.name === name);

  const ready = async (name: string): Promise<KubeJson | undefined> => {
    const certificate = await find(certificates, name);
    return certificate?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')
      ? certificate
      : undefined;
  };

  const serial = async (secretName: string): Promise<string | undefined> => {
    const pem = (await find(secrets, secretName))?.data?.['tls.crt'];
    return pem && new X509Certificate(Buffer.from(pem, 'base64')).serialNumber;
  };

  const eventsOf = async (reason: string, name: string): Promise<KubeJson[]> =>
    (await environment.objects(events, 'default')).filter(
      event => event.reason === reason && event.involvedObject?.name === name,
    );

  const served = (host: string): Promise<SeenRequest> =>
    environment.eventually(`https://${host} is served, verified`, async () => {
      const { status, body } = await environment.get(host);
      return status === 200 && (JSON.parse(body) as SeenRequest);
    });

  it('an Ingress with cert-manager.io/cluster-issuer becomes an HTTPS site, and nothing is left of the challenge', async () => {
    const host = 'temporary.example.com';
    await environment.cluster.apply(
      ingress({ name: 'temporary', host, annotations: { 'cert-manager.io/cluster-issuer': 'pebble' } }),
    );
    expect((await served(host)).upstream).toBe('plain');

    const certificate = await environment.eventually('Ready', () => ready('temporary-tls'));
    expect(certificate.metadata.ownerReferences).toMatchObject([{ kind: 'Ingress', name: 'temporary' }]);
    const secret = await find(secrets, 'temporary-tls');
    expect(secret).toMatchObject({
      type: 'kubernetes.io/tls',
      metadata: {
        labels: { 'controller.cert-manager.io/fao': 'true' },
        annotations: {
          'cert-manager.io/alt-names': host,
          'cert-manager.io/certificate-name': 'temporary-tls',
          'cert-manager.io/issuer-name': 'pebble',
          'cert-manager.io/issuer-kind': 'ClusterIssuer',
          'cert-manager.io/issuer-group': 'cert-manager.io',
        },
      },
    });
    await environment.eventually('no challenge and no solver Ingress is left', async () => {
      const left = await environment.objects(ingresses, 'default');
      return (
        (await environment.objects(challenges, 'default')).length === 0 &&
        !left.some(({ metadata }) => metadata.name.startsWith('cm-acme-http-solver'))
      );
    });
    const requests = await environment.objects(certificateRequests, 'default');
    const request = requests.find(({ metadata }) => metadata.name === 'temporary-tls-1');
    expect(request?.status?.conditions).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: 'Approved', status: 'True' }),
        expect.objectContaining({ type: 'Ready', status: 'True', reason: 'Issued' }),
      ]),
    );
    expect(await eventsOf('CreateCertificate', 'temporary')).toHaveLength(1);
  });

  it.runIf(line === '1.20')(
    'before kubectl 1.24 knew the status, its --raw asks for a renewal, as docs/cli.md says',
    async () => {
      await served('temporary.example.com');
      const before = await serial('temporary-tls');
      const found = await find(certificates, 'temporary-tls');
      const asked = { type: 'Issuing', status: 'True', reason: 'ManuallyTriggered', message: 'by hand' };
      const conditions = [...(found?.status?.conditions ?? []), asked];
      const object = JSON.stringify({ ...found, status: { ...found?.status, conditions } });
      const path = '/apis/cert-manager.io/v1/namespaces/default/certificates/temporary-tls/status';
      await environment.cluster.kubectl(['replace', '--raw', path, '-f', '-'], object);
      await environment.eventually('issued once more', async () => {
        const certificate = await ready('temporary-tls');
        return certificate?.status?.['revision'] === 2 && (await serial('temporary-tls')) !== before;
      });
    },
  );

  it('an Ingress with kubernetes.io/tls-acme gets the default issuer, and is solved in place without a trace', async () => {
    const host = 'in-place.example.com';
    const annotations = {
      'kubernetes.io/tls-acme': 'true',
      'acme.cert-manager.io/http01-edit-in-place': 'true',
    };
    await environment.cluster.apply(ingress({ name: 'in-place', host, annotations }));
    const before = (await find(ingresses, 'in-place'))?.spec;
    await served(host);
    const certificate = await environment.eventually('Ready', () => ready('in-place-tls'));
    expect(certificate.metadata.annotations).toMatchObject({
      'acme.cert-manager.io/http01-override-ingress-name': 'in-place',
      'cert-manager.io/issue-temporary-certificate': 'true',
    });
    await environment.eventually(
      'the challenge is gone',
      async () => (await environment.objects(challenges, 'default')).length === 0,
    );
    const after = (await find(ingresses, 'in-place'))?.spec;
    expect(JSON.stringify(after)).not.toContain('acme-challenge');
    expect((after as { rules: unknown[] }).rules).toHaveLength((before as { rules: unknown[] }).rules.length);
  });

  it('the class that an Ingress names carries its challenge, whatever class the solver has', async () => {
    const { cluster, pebble } = environment;
    const issuer = JSON.parse(acmeClusterIssuer('elsewhere', pebble.directoryUrl, pebble.rootCaPem));
    issuer.spec.acme.solvers = [
      {
        http01: { ingress: { ingressClassName: 'elsewhere', serviceType: 'NodePort' } },
        waitInsteadOfSelfCheck: '100ms',
      },
    ];
    await cluster.apply(JSON.stringify(issuer));
    const classes = {
      'by-annotation': 'acme.cert-manager.io/http01-ingress-class',
      'by-name': 'acme.cert-manager.io/http01-ingress-ingressclassname',
    };
    for (const [name, annotation] of Object.entries(classes)) {
      const annotations = { 'cert-manager.io/cluster-issuer': 'elsewhere', [annotation]: 'postern' };
      await cluster.apply(ingress({ name, host: `${name}.example.com`, annotations }));
    }
    for (const name of Object.keys(classes)) await served(`${name}.example.com`);
    expect((await find(services, 'cm-acme-http-solver'))?.spec?.['type']).toBe('NodePort');
  });

  it('an Ingress whose upstream is HTTPS is served through verified TLS', async () => {
    const host = 'secure.example.com';
    const ca = Buffer.from(environment.upstreamAuthority.caPem).toString('base64');
    await environment.cluster.apply(
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'upstream-ca', namespace: 'default' },
        data: { 'ca.crt': ca },
      }),
    );
    await environment.cluster.apply(
      ingress({
        name: 'secure',
        host,
        service: { name: 'secure', port: upstreams.secure.port },
        annotations: {
          'cert-manager.io/cluster-issuer': 'pebble',
          'nginx.ingress.kubernetes.io/backend-protocol': 'HTTPS',
          'nginx.ingress.kubernetes.io/proxy-ssl-secret': 'default/upstream-ca',
          'nginx.ingress.kubernetes.io/proxy-ssl-name': 'upstream.internal',
        },
      }),
    );
    expect(await served(host)).toMatchObject({ upstream: 'secure', secure: true });
  });

  it('a CA issuer signs, and what it signed verifies against its own certificate', async () => {
    await environment.cluster.apply(
      ingress({ name: 'by-ca', host: 'by-ca.example.com', annotations: { 'cert-manager.io/issuer': 'ca' } }),
    );
    await environment.eventually('Ready', () => ready('by-ca-tls'));
    const secret = await find(secrets, 'by-ca-tls');
    const ca = Buffer.from(secret?.data?.['ca.crt'] ?? '', 'base64').toString();
    const answer = await environment.eventually('served', () =>
      environment.get('by-ca.example.com', { ca: [ca] }),
    );
    expect(answer.certificate.issuer.CN).toBe('e2e CA');
  });

  it('an issuer that comes after the Ingress is waited for, and named in the meantime', async () => {
    await environment.cluster.apply(
      ingress({
        name: 'early',
        host: 'early.example.com',
        annotations: { 'cert-manager.io/issuer': 'late' },
      }),
    );
    const message = await environment.eventually('the request says what it waits for', async () => {
      const request = await find(certificateRequests, 'early-tls-1');
      return request?.status?.conditions?.find(({ type }) => type === 'Ready')?.message;
    });
    expect(message).toContain('There is no Issuer "late" in namespace "default"');
    await environment.cluster.apply(
      'apiVersion: cert-manager.io/v1\nkind: Issuer\nmetadata: {name: late, namespace: default}\nspec: {selfSigned: {}}\n',
    );
    await environment.eventually('Ready', () => ready('early-tls'));
  });

  it('a changed Ingress changes its Certificate, and a removed TLS entry removes it', async () => {
    const annotations = { 'cert-manager.io/issuer': 'ca' };
    await environment.cluster.apply(ingress({ name: 'changing', host: 'one.example.com', annotations }));
    await environment.eventually('Ready', () => ready('changing-tls'));
    const first = await serial('changing-tls');
    await environment.cluster.apply(ingress({ name: 'changing', host: 'two.example.com', annotations }));
    await environment.eventually('issued again for the other name', async () => {
      const secret = await find(secrets, 'changing-tls');
      return (
        secret?.metadata.annotations?.['cert-manager.io/alt-names'] === 'two.example.com' &&
        (await serial('changing-tls')) !== first
      );
    });
    await environment.cluster.kubectl([
      'patch',
      'ingress',
      'changing',
      '-n',
      'default',
      '--type=json',
      '-p',
      '[{"op":"remove","path":"/spec/tls"}]',
    ]);
    await environment.eventually(
      'the Certificate is deleted',
      async () => (await find(certificates, 'changing-tls')) === undefined,
    );
    expect(await find(secrets, 'changing-tls')).toBeDefined();
  });

  it('a deleted Ingress takes its Certificate along', async () => {
    await environment.cluster.apply(
      ingress({ name: 'going', host: 'going.example.com', annotations: { 'cert-manager.io/issuer': 'ca' } }),
    );
    await environment.eventually('Ready', () => ready('going-tls'));
    await environment.cluster.kubectl(['delete', 'ingress', 'going', '-n', 'default']);
    // The garbage collector of Kubernetes learns of new kinds every 30 seconds.
    await environment.eventually(
      'the Certificate is collected',
      async () => (await find(certificates, 'going-tls')) === undefined,
      60_000,
    );
  });

  it.each([
    ['deleted', ['delete', 'secret', 'healing-tls', '-n', 'default']],
    [
      'damaged',
      ['patch', 'secret', 'healing-tls', '-n', 'default', '-p', '{"data":{"tls.crt":"cnViYmlzaA=="}}'],
    ],
  ])('a Secret that was %s is issued again', async (_how, command) => {
    await environment.cluster.apply(
      ingress({
        name: 'healing',
        host: 'healing.example.com',
        annotations: { 'cert-manager.io/cluster-issuer': 'pebble' },
      }),
    );
    await environment.eventually('Ready', () => ready('healing-tls'));
    const before = await serial('healing-tls');
    await environment.cluster.kubectl(command);
    await environment.eventually('issued again', async () => {
      const now = await serial('healing-tls').catch(() => undefined);
      return now !== undefined && now !== before && (await ready('healing-tls')) !== undefined;
    });
    await served('healing.example.com');
  });

  it('bad annotations give one event that names them, and no Certificate', async () => {
    const annotations = { 'cert-manager.io/issuer': 'a', 'cert-manager.io/cluster-issuer': 'b' };
    await environment.cluster.apply(ingress({ name: 'bad', host: 'bad.example.com', annotations }));
    const [event] = await environment.eventually('the event', async () => {
      const found = await eventsOf('BadConfig', 'bad');
      return found.length > 0 && found;
    });
    expect(event?.message).toContain('keep one of them');
    expect(await find(certificates, 'bad-tls')).toBeUndefined();
  });

  it('the request for an out-of-tree issuer is made and approved, and its signature is waited for', async () => {
    const annotations = {
      'cert-manager.io/issuer': 'theirs',
      'cert-manager.io/issuer-kind': 'TheirIssuer',
      'cert-manager.io/issuer-group': 'theirs.example.com',
    };
    await environment.cluster.apply(ingress({ name: 'external', host: 'external.example.com', annotations }));
    const request = await environment.eventually('approved', async () => {
      const found = await find(certificateRequests, 'external-tls-1');
      return (
        found?.status?.conditions?.some(({ type, status }) => type === 'Approved' && status === 'True') &&
        found
      );
    });
    expect(request.spec).toMatchObject({
      issuerRef: { name: 'theirs', kind: 'TheirIssuer', group: 'theirs.example.com' },
    });
    expect(request.status?.conditions?.some(({ type }) => type === 'Ready')).toBe(false);
  });

  it('a certificate is renewed when its time has come, and the old one serves until then', async () => {
    await environment.cluster.apply(`
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: short, namespace: default}
spec:
  secretName: short-tls
  dnsNames: [short.example.com]
  duration: 1h
  renewBefore: 59m55s
  privateKey: {algorithm: ECDSA}
  issuerRef: {name: ca}
`);
    await environment.eventually('Ready', () => ready('short'));
    const first = await serial('short-tls');
    const renewed = await environment.eventually(
      'renewed',
      async () => (await serial('short-tls')) !== first && find(certificates, 'short'),
    );
    expect(first).toBeDefined();
    await environment.eventually(
      'the next revision',
      async () => ((await find(certificates, 'short'))?.status?.['revision'] as number) > 1,
    );
    expect(renewed.status?.conditions).toEqual(
      expect.arrayContaining([expect.objectContaining({ type: 'Ready', status: 'True' })]),
    );
    await environment.cluster.kubectl(['delete', 'certificate', 'short', '-n', 'default']);
  });

  it('a CertificateRequest that was denied is not signed', async () => {
    const csr = await createCsr({
      key: await generatePrivateKey({ algorithm: 'ECDSA' }),
      dnsNames: ['denied.example.com'],
    });
    await environment.cluster.apply(
      JSON.stringify({
        apiVersion: 'cert-manager.io/v1',
        kind: 'CertificateRequest',
        metadata: { name: 'denied', namespace: 'default' },
        spec: { request: Buffer.from(csr).toString('base64'), issuerRef: { name: 'not-there-yet' } },
      }),
    );
    const denied = {
      status: {
        conditions: [
          {
            type: 'Denied',
            status: 'True',
            reason: 'Policy',
            message: 'not this one',
            lastTransitionTime: new Date().toISOString(),
          },
        ],
      },
    };
    await environment.cluster.kubectl(['get', '--raw', '/apis/cert-manager.io/v1']);
    await environment.eventually('the denial is stored', async () => {
      const found = await find(certificateRequests, 'denied');
      if (found === undefined) return false;
      await environment.cluster.kubectl(
        [
          'replace',
          '--raw',
          '/apis/cert-manager.io/v1/namespaces/default/certificaterequests/denied/status',
          '-f',
          '-',
        ],
        JSON.stringify({ ...found, ...denied }),
      );
      return true;
    });
    const condition = await environment.eventually('denied', async () => {
      const found = await find(certificateRequests, 'denied');
      return found?.status?.conditions?.find(({ type, reason }) => type === 'Ready' && reason === 'Denied');
    });
    expect(condition.message).toContain('not this one');
  });

  it.runIf(line === '1.20')('Ingresses of the old versions are secured and served', async () => {
    for (const version of ['networking.k8s.io/v1beta1', 'extensions/v1beta1']) {
      const name = version.startsWith('n') ? 'old-networking' : 'old-extensions';
      const host = `${name}.example.com`;
      await environment.cluster.apply(`
apiVersion: ${version}
kind: Ingress
metadata:
  name: ${name}
  namespace: default
  annotations: {kubernetes.io/ingress.class: postern, cert-manager.io/cluster-issuer: pebble}
spec:
  tls: [{hosts: [${host}], secretName: ${name}-tls}]
  rules: [{host: ${host}, http: {paths: [{path: /, backend: {serviceName: plain, servicePort: 8080}}]}}]
`);
      expect((await served(host)).upstream).toBe('plain');
    }
  });

  it('in two processes: the edge carries the challenge to the controllers; what is deleted is revoked, if asked', async () => {
    await stopPostern(environment.postern);
    await environment.startPostern(['--components', 'edge'], places.first);
    await environment.startPostern(['--components', 'controllers'], places.second);
    const annotations = {
      'cert-manager.io/cluster-issuer': 'pebble',
      'postern.dev/revoke-on-delete': 'true',
      'postern.dev/delete-secret': 'true',
    };
    await environment.cluster.apply(ingress({ name: 'apart', host: 'apart.example.com', annotations }));
    expect((await served('apart.example.com')).upstream).toBe('plain');
    const issued = serialText((await serial('apart-tls')) ?? '');
    expect(await environment.pebble.certificateStatus(issued)).toMatchObject({ Status: 'Valid' });

    await environment.cluster.kubectl(['delete', 'ingress', 'apart', '-n', 'default']);
    await environment.eventually(
      'the Secret is gone',
      async () => (await find(secrets, 'apart-tls')) === undefined,
      60_000,
    );
    expect(await find(certificates, 'apart-tls')).toBeUndefined();
    expect(await environment.pebble.certificateStatus(issued)).toMatchObject({ Status: 'Revoked' });
  });
});

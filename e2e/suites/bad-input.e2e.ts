import { X509Certificate } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Challenge, challenges } from '../../src/api/acme/challenge.ts';
import { type Order, orders } from '../../src/api/acme/order.ts';
import { type Certificate, certificates } from '../../src/api/cert-manager/certificate.ts';
import {
  type CertificateRequest,
  certificateRequests,
} from '../../src/api/cert-manager/certificate-request.ts';
import { clusterIssuers, type Issuer, issuers } from '../../src/api/cert-manager/issuer.ts';
import { type Condition, hasCondition } from '../../src/api/condition.ts';
import { events } from '../../src/api/kubernetes/event.ts';
import { type Ingress, ingresses } from '../../src/api/kubernetes/ingress.ts';
import { type Secret, secrets } from '../../src/api/kubernetes/secret.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import type { Resource } from '../../src/api/resource.ts';
import { isKubeError } from '../../src/kube/errors.ts';
import { createCsr } from '../../src/pki/csr.ts';
import { generatePrivateKey } from '../../src/pki/private-key.ts';
import { type AcmeFaultProxy, startAcmeFaultProxy } from '../harness/acme-fault-proxy.ts';
import { type Environment, places, startEnvironment } from '../harness/environment.ts';
import { httpGet } from '../harness/http-get.ts';
import { type KubeFaultProxy, startKubeFaultProxy } from '../harness/kube-fault-proxy.ts';
import { acmeClusterIssuer, caIssuer, ingress } from '../harness/manifests.ts';
import { type ObjectView, viewOf } from '../harness/object-view.ts';
import { readPair } from '../harness/pair-history.ts';
import { createTestAuthority, type Identity } from '../harness/test-authority.ts';
import { controlPlaneAddress, upstreamAddresses } from '../netns.ts';
import { type BadSpec, badCertificates, badForAcme, badIssuers, base64 } from './bad-input-objects.ts';

/** Nobody has any business here: whoever connects was led astray. */
const trapAddress = upstreamAddresses[5] ?? '';
const trapPorts = [80, 443, 8080, 8443] as const;

/** The last line whose API server runs no CEL. */
describe('bad input on Kubernetes 1.20 is told, and left alone', () => {
  let environment: Environment;
  let kube: KubeFaultProxy;
  let acme: AcmeFaultProxy;
  let view: ObjectView;
  let leaf: Identity;
  let names = 0;
  const trapped: number[] = [];
  const traps: Server[] = [];

  beforeAll(async () => {
    environment = await startEnvironment({
      line: '1.20',
      withPostern: false,
      pebble: { blockedDomains: ['blocked.example.net'] },
    });
    const { api, cluster, pebble, dir } = environment;
    view = viewOf(api);
    for (const port of trapPorts) {
      const trap = createServer(socket => {
        trapped.push(port);
        socket.destroy();
      });
      traps.push(trap);
      await new Promise<void>(resolve => trap.listen(port, trapAddress, resolve));
    }
    kube = await startKubeFaultProxy(cluster, controlPlaneAddress);
    acme = await startAcmeFaultProxy(pebble, controlPlaneAddress);
    const authority = await createTestAuthority('e2e leaves');
    leaf = await authority.issue({ commonName: 'leaf', dnsNames: ['leaf.example.com'] });
    await cluster.apply(
      [acmeClusterIssuer('pebble', acme.directoryUrl, acme.rootCaPem), caIssuer].join('\n---\n'),
    );
    await create(secrets, secretOf('rubbish', 'Opaque', { 'tls.key': 'rubbish', 'tls.crt': 'rubbish' }));
    await create(
      secrets,
      secretOf('leaf', 'kubernetes.io/tls', { 'tls.key': leaf.keyPem, 'tls.crt': leaf.certPem }),
    );
    const kubeconfig = join(dir, 'cluster', 'postern-system.postern.kubeconfig');
    await environment.startPostern([
      ...['--kubeconfig', await kube.kubeconfigThrough(kubeconfig), '--leader-elect=false'],
    ]);
    await environment.eventually('the CA is there', () => view.readyCertificate('ca'));
  });

  afterAll(async () => {
    await environment?.stop();
    await kube?.stop();
    await acme?.stop();
    for (const trap of traps) trap.close();
  });

  const create = <T extends KubeObject>(resource: Resource<T>, object: object): Promise<T> =>
    environment.api.create(resource, object as T);

  const nextName = (prefix: string): string => {
    names += 1;
    return `${prefix}-${names}`;
  };

  const secretOf = (name: string, type: string, data: Readonly<Record<string, string>>): Secret => ({
    apiVersion: 'v1',
    kind: 'Secret',
    type,
    metadata: { name, namespace: 'default' },
    data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, base64(text)])),
  });

  const certificateOf = (name: string, spec: object): object => ({
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { name, namespace: 'default' },
    spec: {
      secretName: `${name}-tls`,
      issuerRef: { name: 'ca' },
      dnsNames: [`${name}.example.com`],
      privateKey: { algorithm: 'ECDSA', size: 256 },
      ...spec,
    },
  });

  const warningsOn = async (name: string) =>
    (await view.list(events)).filter(
      ({ type, involvedObject }) => type === 'Warning' && involvedObject.name === name,
    );

  /** Creates an object; what the API server says where it refuses it. */
  const tryToCreate = async <T extends KubeObject>(resource: Resource<T>, object: object) => {
    try {
      await create(resource, object);
      return undefined;
    } catch (error) {
      if (isKubeError(error, 'KUBE_INVALID')) return error.message;
      throw error;
    }
  };

  type Conditioned = KubeObject & {
    readonly status?: { readonly conditions?: readonly Condition[] | undefined } | undefined;
  };

  /**
   * Creates objects that are bad, all at once. Each is refused by the API server, or has a condition and a Warning that
   * say what is wrong with it. Gives what does not hold.
   */
  const tellsOfEach = async <T extends Conditioned>(
    resource: Resource<T>,
    specs: readonly BadSpec[],
    objectOf: (name: string, spec: BadSpec[1]) => object,
  ): Promise<readonly string[]> => {
    const created = await Promise.all(
      specs.map(async ([what, spec, said]) => {
        const name = nextName('bad');
        const refusal = await tryToCreate(resource, objectOf(name, spec));
        return { what, name, said, refusal };
      }),
    );
    const problems: string[] = [];
    for (const { what, name, said, refusal } of created) {
      if (refusal !== undefined) {
        if (!said.test(refusal)) problems.push(`${what}: refused with: ${refusal}`);
        continue;
      }
      const told = await environment
        .eventually(
          what,
          async () => {
            const found = await view.find<T>(resource, name);
            const conditions = found?.status?.conditions ?? [];
            if (hasCondition(conditions, 'Ready')) return 'it is Ready';
            const message = conditions.find(
              ({ status, message: text }) => status === 'False' && said.test(text ?? ''),
            );
            return (
              message && (await warningsOn(name)).some(event => said.test(event.message ?? '')) && 'told'
            );
          },
          10_000,
        )
        .catch(async () => {
          const found = await view.find<T>(resource, name);
          return JSON.stringify([
            found?.status?.conditions,
            (await warningsOn(name)).map(one => one.message),
          ]);
        });
      if (told !== 'told') problems.push(`${what} (${name}): ${told}`);
    }
    return problems;
  };

  it('specs of Certificates', async () => {
    expect(await tellsOfEach(certificates, badCertificates, certificateOf)).toEqual([]);
  });

  it('specs of Certificates that are too much for ACME', async () => {
    const byPebble = (name: string, spec: object) =>
      certificateOf(name, { issuerRef: { name: 'pebble', kind: 'ClusterIssuer' }, ...spec });
    expect(await tellsOfEach(certificates, badForAcme, byPebble)).toEqual([]);
  });

  it('specs of Issuers', async () => {
    const issuerOf = (name: string, spec: object) => ({
      apiVersion: 'cert-manager.io/v1',
      kind: 'Issuer',
      metadata: { name, namespace: 'default' },
      spec,
    });
    expect(await tellsOfEach<Issuer>(issuers, badIssuers, issuerOf)).toEqual([]);
  });

  it('CertificateRequests', async () => {
    const specs: readonly BadSpec[] = [
      ['of no CSR', { request: base64('rubbish') }, /request/],
      [
        'of a CSR that was tampered with',
        { request: base64(tampered(await aCsr('a.example.com'))) },
        /request/,
      ],
      ['of nothing', { request: '' }, /request/],
    ];
    const requestOf = (name: string, spec: object) => ({
      apiVersion: 'cert-manager.io/v1',
      kind: 'CertificateRequest',
      metadata: { name, namespace: 'default' },
      spec: { issuerRef: { name: 'ca' }, ...spec },
    });
    expect(await tellsOfEach<CertificateRequest>(certificateRequests, specs, requestOf)).toEqual([]);
  });

  it('annotations and names of Ingresses', async () => {
    const { cluster } = environment;
    const hosts = ['$(reboot).example.com', 'bücher.example', `${'a'.repeat(64)}.example.com`, 'a b'];
    for (const host of hosts) {
      const name = nextName('bad');
      const annotations = { 'cert-manager.io/issuer': 'ca' };
      const object = JSON.parse(ingress({ name, host: 'good.example.com', annotations })) as {
        spec: { tls: object[] };
      };
      object.spec.tls = [{ hosts: [host], secretName: `${name}-tls` }];
      const refusal = await tryToCreate<Ingress>(ingresses, object);
      if (refusal !== undefined) continue;
      await environment.eventually(`${host} is told of`, async () => (await warningsOn(name)).length > 0);
      expect(await view.find(certificates, `${name}-tls`)).toBeUndefined();
    }
    const name = nextName('bad');
    const annotations = { 'cert-manager.io/issuer': 'ca\r\nX-Evil: 1' };
    await cluster.apply(ingress({ name, host: 'good.example.com', annotations }));
    await environment.eventually('it is told of', async () => (await warningsOn(name)).length > 0);
  });

  it('Secrets with rubbish in them are put right', async () => {
    const other = await (await createTestAuthority('e2e others')).issue({ commonName: 'other' });
    const contents: readonly Record<string, string>[] = [
      { 'tls.crt': '', 'tls.key': '' },
      { 'tls.crt': 'rubbish', 'tls.key': 'rubbish' },
      { 'tls.crt': leaf.certPem, 'tls.key': 'rubbish' },
      { 'tls.crt': leaf.certPem.slice(0, 300), 'tls.key': leaf.keyPem },
      { 'tls.crt': leaf.certPem, 'tls.key': other.keyPem },
      { 'tls.crt': leaf.certPem, 'tls.key': leaf.keyPem },
      { 'tls.crt': '\u0000\u0001', 'tls.key': leaf.keyPem, more: 'kept' },
    ];
    const made = await Promise.all(
      contents.map(async content => {
        const name = nextName('healed');
        await create(secrets, secretOf(`${name}-tls`, 'kubernetes.io/tls', content));
        await create<Certificate>(certificates, certificateOf(name, {}));
        return { name, content };
      }),
    );
    for (const { name, content } of made) {
      await environment.eventually(`${name} is Ready`, () => view.readyCertificate(name));
      const secret = await view.find(secrets, `${name}-tls`);
      expect(readPair(secret).problem).toBeUndefined();
      expect(secret?.data?.['more']).toBe(content['more'] === undefined ? undefined : base64('kept'));
    }
  });

  it.each([
    ['cannot be written', 'kubernetes.io/tls', { immutable: true }],
    ['is for something else', 'kubernetes.io/dockercfg', {}],
  ])('a Secret that %s is told of, and stays as it is', async (_what, type, more) => {
    const name = nextName('kept');
    const data = { 'tls.crt': 'rubbish', 'tls.key': 'rubbish', '.dockercfg': '{}' };
    const before = await create(secrets, { ...secretOf(`${name}-tls`, type, data), ...more });
    await create<Certificate>(certificates, certificateOf(name, {}));
    await environment.eventually('it is told of', async () => {
      const conditions = (await view.find(certificates, name))?.status?.conditions;
      const isTold = conditions?.some(
        ({ status, message }) => status === 'False' && message?.includes('Secret') === true,
      );
      return isTold && (await warningsOn(name)).length > 0;
    });
    expect((await view.find(secrets, `${name}-tls`))?.data).toEqual(before.data);
  });

  it('a name that is no ASCII is certified as the DNS has it', async () => {
    const name = nextName('idn');
    // With no Ingress that asks for the certificate, the issuer says which class solves the challenge.
    const issuer = JSON.parse(acmeClusterIssuer('by-class', acme.directoryUrl, acme.rootCaPem)) as Issuer;
    const solvers = [{ http01: { ingress: { ingressClassName: 'postern' } } }];
    await create(clusterIssuers, { ...issuer, spec: { acme: { ...issuer.spec.acme, solvers } } });
    const spec = { issuerRef: { name: 'by-class', kind: 'ClusterIssuer' }, dnsNames: ['Bücher.example.com'] };
    await create<Certificate>(certificates, certificateOf(name, spec));
    await environment.eventually('Ready', () => view.readyCertificate(name));
    const pem = (await view.find(secrets, `${name}-tls`))?.data?.['tls.crt'] ?? '';
    const { subjectAltName } = new X509Certificate(Buffer.from(pem, 'base64'));
    expect(subjectAltName).toBe('DNS:xn--bcher-kva.example.com');
  });

  it('rubbish as the next private key is thrown away', async () => {
    const name = nextName('healed');
    await create<Certificate>(certificates, certificateOf(name, { issuerRef: { name: 'later' } }));
    const key = await environment.eventually('the key is made', async () => {
      const all = await view.list(secrets);
      return all.find(({ metadata }) => metadata.ownerReferences?.some(owner => owner.name === name));
    });
    await environment.api.update(secrets, { ...key, data: { 'tls.key': base64('rubbish') } });
    await create<Issuer>(issuers, {
      apiVersion: 'cert-manager.io/v1',
      kind: 'Issuer',
      metadata: { name: 'later', namespace: 'default' },
      spec: { selfSigned: {} },
    });
    await environment.eventually('Ready', () => view.readyCertificate(name));
    expect(readPair(await view.find(secrets, `${name}-tls`)).problem).toBeUndefined();
  });

  describe('who makes Challenges and Orders by hand', () => {
    const issuerRef = { name: 'pebble', kind: 'ClusterIssuer' };
    const url = `https://${trapAddress}:8443/`;

    const challengeOf = (name: string, spec: object, metadata: object = {}): object => ({
      apiVersion: 'acme.cert-manager.io/v1',
      kind: 'Challenge',
      metadata: { name, namespace: 'default', ...metadata },
      spec: {
        url: `${url}challenge`,
        authorizationURL: `${url}authorization`,
        dnsName: 'trap.example.com',
        wildcard: false,
        type: 'HTTP-01',
        token: 'a-token-of-the-authors-own-making',
        key: 'whatever the author likes',
        solver: { http01: { ingress: {} } },
        issuerRef,
        ...spec,
      },
    });

    const orderOf = (name: string, spec: object, metadata: object = {}): object => ({
      apiVersion: 'acme.cert-manager.io/v1',
      kind: 'Order',
      metadata: { name, namespace: 'default', ...metadata },
      spec: { issuerRef, ...spec },
    });

    const errored = (resource: Resource<Challenge> | Resource<Order>, name: string) =>
      environment.eventually(`${name} is refused`, async () => {
        const found = await view.find<Challenge | Order>(resource, name);
        return (
          found === undefined || (found.status?.state === 'errored' && (await warningsOn(name)).length > 0)
        );
      });

    beforeAll(async () => {
      await environment.pebble.setHost('trap.example.com', trapAddress);
      acme.script();
    });

    const expectNothingServed = async (host: string, token: string) => {
      const target = {
        address: places.first.edge,
        port: 80,
        host,
        path: `/.well-known/acme-challenge/${token}`,
      };
      expect((await httpGet(target)).status).not.toBe(200);
      const direct = { ...target, address: places.first.solver, port: 8089 };
      expect((await httpGet(direct)).status).toBe(404);
    };

    const solverIngresses = async () =>
      (await view.list(ingresses)).filter(({ metadata }) => metadata.name?.startsWith('cm-acme-http-solver'));

    it('gets nothing served or fetched by a Challenge without an Order', async () => {
      const name = nextName('by-hand');
      await create<Challenge>(challenges, challengeOf(name, {}));
      await errored(challenges, name);
      await expectNothingServed('trap.example.com', 'a-token-of-the-authors-own-making');
    });

    it('gets nothing by a Challenge that names an Order of theirs', async () => {
      const order = nextName('by-hand');
      const made = await create<Order>(
        orders,
        orderOf(order, { request: base64(await aCsr('trap.example.com')), dnsNames: ['trap.example.com'] }),
      );
      await errored(orders, order);
      // Who may write the status, too.
      const authorizations = [
        {
          url: `${url}authorization`,
          identifier: 'trap.example.com',
          initialState: 'pending' as const,
          challenges: [
            { url: `${url}challenge`, type: 'http-01', token: 'a-token-of-the-authors-own-making' },
          ],
        },
      ];
      const refused = await environment.api.get(orders, { namespace: 'default', name: order });
      const status = { url: `${url}order`, finalizeURL: `${url}finalize`, authorizations };
      await environment.api.updateStatus(orders, { ...refused, status: { ...refused.status, ...status } });
      const name = nextName('by-hand');
      const ownerReferences = [
        {
          apiVersion: 'acme.cert-manager.io/v1',
          kind: 'Order',
          name: order,
          uid: made.metadata.uid,
          controller: true,
        },
      ];
      await create<Challenge>(challenges, challengeOf(name, {}, { ownerReferences }));
      await create<Challenge>(
        challenges,
        challengeOf(`${name}-b`, { token: 'another-token' }, { ownerReferences }),
      );
      await errored(challenges, `${name}-b`);
      await expectNothingServed('trap.example.com', 'a-token-of-the-authors-own-making');
    });

    it('gets nothing by an Order that names a request, the issuer of which is somebody else’s', async () => {
      const request = nextName('by-hand');
      const made = await create<CertificateRequest>(certificateRequests, {
        apiVersion: 'cert-manager.io/v1',
        kind: 'CertificateRequest',
        metadata: { name: request, namespace: 'default' },
        spec: { request: base64(await aCsr('mine.example.com')), issuerRef: { name: 'not-there' } },
      });
      const ownerReferences = [
        {
          apiVersion: 'cert-manager.io/v1',
          kind: 'CertificateRequest',
          name: request,
          uid: made.metadata.uid,
          controller: true,
        },
      ];
      const name = nextName('by-hand');
      const theirs = { request: base64(await aCsr('theirs.example.com')), dnsNames: ['theirs.example.com'] };
      await create<Order>(orders, orderOf(name, theirs, { ownerReferences }));
      await errored(orders, name);
    });

    it('has no path put into an Ingress of others', async () => {
      const victim = nextName('victim');
      await environment.cluster.apply(
        ingress({ name: victim, host: 'victim.example.com', secretName: null }),
      );
      const before = (await view.find(ingresses, victim))?.spec;
      const name = nextName('by-hand');
      const solver = { http01: { ingress: { name: victim } } };
      await create<Challenge>(challenges, challengeOf(name, { solver, dnsName: 'victim.example.com' }));
      await errored(challenges, name);
      expect((await view.find(ingresses, victim))?.spec).toEqual(before);
      await environment.api.delete(challenges, { namespace: 'default', name });
      await environment.eventually(
        'the Challenge goes',
        async () => (await view.find(challenges, name)) === undefined,
      );
      expect((await view.find(ingresses, victim))?.spec).toEqual(before);
    });

    it('has led nobody astray, made no Ingress, and asked the ACME server for nothing', async () => {
      await sleep(1_000);
      expect(trapped).toEqual([]);
      expect(await solverIngresses()).toEqual([]);
      expect(acme.records.filter(({ method }) => method === 'POST')).toEqual([]);
    });
  });

  it('then all is quiet: no writes, no requests, hardly a reconcile; and Postern works on', async () => {
    // What was begun by the tests before may have a last word to write.
    await environment.eventually(
      '5 s without a write, without a request, with hardly a reconcile',
      async () => {
        kube.script();
        acme.script();
        const before = await syncs();
        await sleep(5_000);
        return kube.writes.length === 0 && acme.records.length === 0 && (await syncs()) - before < 10;
      },
    );

    const name = nextName('good');
    const annotations = { 'cert-manager.io/cluster-issuer': 'pebble' };
    await environment.cluster.apply(ingress({ name, host: `${name}.example.com`, annotations }));
    await environment.eventually('Ready', () => view.readyCertificate(`${name}-tls`));
    expect(environment.postern.isRunning()).toBe(true);
  });

  /** How many reconciles there were so far. */
  const syncs = async (): Promise<number> => {
    const answer = await fetch(`http://${places.first.health}/metrics`);
    const counts = (await answer.text()).matchAll(
      /^certmanager_controller_sync_call_count\{[^}]*\} (\d+)$/gm,
    );
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  };
});

/** A CSR for a name, PEM. */
async function aCsr(dnsName: string): Promise<string> {
  return createCsr({ key: await generatePrivateKey({ algorithm: 'ECDSA' }), dnsNames: [dnsName] });
}

/** The same CSR with one byte of its signature changed. */
function tampered(csr: string): string {
  const lines = csr.trim().split('\n');
  const last = lines.at(-2) ?? '';
  const at = Math.max(0, last.length - 8);
  const changed = last.slice(0, at) + (last[at] === 'A' ? 'B' : 'A') + last.slice(at + 1);
  return [...lines.slice(0, -2), changed, lines.at(-1)].join('\n');
}

import { beforeAll, describe, expect, it } from 'vitest';
import { challenges } from '../api/acme/challenge.ts';
import { orders } from '../api/acme/order.ts';
import { certificates } from '../api/cert-manager/certificate.ts';
import { certificateRequests } from '../api/cert-manager/certificate-request.ts';
import { clusterIssuers } from '../api/cert-manager/issuer.ts';
import { events } from '../api/kubernetes/event.ts';
import { ingresses } from '../api/kubernetes/ingress.ts';
import { secrets } from '../api/kubernetes/secret.ts';
import { anEmbeddedApi } from '../kube/embedded/store.testing.ts';
import { KubeError } from '../kube/errors.ts';
import type { KubeApi } from '../kube/port.ts';
import { anAuthority, aCertificate as signed, type TestCertificate } from '../pki/pki.testing.ts';
import { aTlsSecret, put, renamed } from './cli-objects.testing.ts';
import { commandLine } from './program.testing.ts';
import {
  aCertificate,
  aChallenge,
  anIngress,
  anIssuer,
  anOrder,
  aRequest,
  condition,
} from './status/objects.testing.ts';

const now = Date.UTC(2026, 0, 1);
const day = 86_400_000;
const ready = { conditions: [condition('Ready', 'True', 'Ready')] };
let good: TestCertificate;

beforeAll(async () => {
  const issuer = await anAuthority({ notBeforeMs: now - day, notAfterMs: now + 400 * day });
  const dnsNames = ['shop.test', 'plain.test', 'www.plain.test', 'mail.test'];
  good = await signed({ issuer, dnsNames, notBeforeMs: now - day, notAfterMs: now + 89.5 * day });
});

const aSecret = (namespace: string, name: string) => aTlsSecret(namespace, name, good);

/** A site that is ready, one that waits for its challenge, one of another namespace without an issuer. */
async function aBusyApi(): Promise<KubeApi> {
  const api = anEmbeddedApi();
  await put(api, clusterIssuers, anIssuer());
  await put(api, ingresses, anIngress({ 'cert-manager.io/cluster-issuer': 'le' }));
  const waiting = await put(api, certificates, aCertificate());
  // The request of the revision before, which is over.
  await put(api, certificateRequests, aRequest([condition('Ready', 'True', 'Issued')], 1), waiting);
  const pending = [condition('Approved', 'True', 'x'), condition('Ready', 'False', 'Pending')];
  const request = await put(api, certificateRequests, aRequest(pending, 2), waiting);
  const order = await put(api, orders, anOrder({ state: 'pending' }), request);
  await put(api, challenges, aChallenge({ state: 'valid' }, 'a.shop.test'), order);
  const reason = 'http://shop.test/ answered 404, with \u001B[31mcolours\u001B[0m.';
  await put(api, challenges, aChallenge({ state: 'pending', processing: true, reason }), order);

  await put(api, secrets, aSecret('shop', 'plain-tls'));
  const tls = [{ hosts: ['plain.test', 'www.plain.test'], secretName: 'plain-tls' }];
  await put(api, ingresses, renamed(anIngress({}, { rules: [{ host: 'plain.test' }], tls }), 'plain'));

  await put(api, secrets, aSecret('shop', 'mail-tls'));
  await put(
    api,
    certificates,
    renamed(aCertificate(ready, { secretName: 'mail-tls', dnsNames: ['mail.test'] }), 'mail'),
  );

  const elsewhere = anIngress({ 'kubernetes.io/tls-acme': 'true' });
  await put(api, ingresses, { ...elsewhere, metadata: { ...elsewhere.metadata, namespace: 'blog' } });
  return api;
}

describe('postern status', () => {
  it('lists every chain, and below why something is not ready', async () => {
    const run = await commandLine(['status'], { api: await aBusyApi() });
    expect(run.stdout).toMatchInlineSnapshot(`
      "NAMESPACE  INGRESS  HOSTS          STATE      CERTIFICATE  REQUEST  ORDER    CHALLENGES  SECRET              EXPIRES
      blog       front    shop.test      not ready  -            -        -        -           shop-tls (missing)  -
      shop       front    shop.test      not ready  shop-tls     pending  pending  1/2 valid   shop-tls (missing)  -
      shop       plain    plain.test +1  ready      -            -        -        -           plain-tls           2026-03-31 (89d)
      shop       -        mail.test      ready      mail         -        -        -           mail-tls            2026-03-31 (89d)

      Not ready:
      Ingress blog/front (shop.test):
        Ingress "front" asks for a certificate by kubernetes.io/tls-acme and there is no default issuer; start Postern with --default-issuer-name, or name one on the Ingress by cert-manager.io/cluster-issuer.
      Ingress shop/front (shop.test):
        The HTTP-01 challenge for shop.test waits: http://shop.test/ answered 404, with [31mcolours [0m; see that shop.test resolves to where the Ingress is served, and that port 80 is open there.
      "
    `);
    expect([run.status, run.stderr]).toEqual([1, '']);
  });

  it('looks at one namespace', async () => {
    const run = await commandLine(['status', '-n', 'blog'], { api: await aBusyApi() });
    expect(run.stdout).toContain('blog');
    expect(run.stdout).not.toContain('shop ');
  });

  it('prints JSON for programs', async () => {
    const run = await commandLine(['status', '-o', 'json'], { api: await aBusyApi() });
    const report = JSON.parse(run.stdout) as { ready: boolean; items: unknown[] };
    expect(report.ready).toBe(false);
    expect(report.items).toMatchObject([
      { namespace: 'blog', ingress: 'front', state: 'not-ready', certificate: null },
      {
        namespace: 'shop',
        ingress: 'front',
        hosts: ['shop.test'],
        state: 'not-ready',
        cause: expect.stringContaining('answered 404'),
        certificate: { name: 'shop-tls', ready: false, issuer: 'ClusterIssuer/le' },
        request: { name: 'shop-tls-2', state: 'pending' },
        order: { name: 'shop-tls-1-77', state: 'pending' },
        challenges: [{ state: 'valid' }, { dnsName: 'shop.test', state: 'pending' }],
        secret: { name: 'shop-tls', state: 'missing', notAfter: null },
      },
      { ingress: 'plain', state: 'ready', cause: null, secret: { notAfter: '2026-03-31T12:00:00Z' } },
      { ingress: null, state: 'ready', certificate: { name: 'mail', ready: true } },
    ]);
  });

  it('ends with 0 when everything is ready, and shows no secret', async () => {
    const api = anEmbeddedApi();
    await put(api, ingresses, anIngress());
    await put(api, secrets, aSecret('shop', 'shop-tls'));
    for (const format of ['table', 'json']) {
      const run = await commandLine(['status', '-o', format], { api });
      expect(run.status).toBe(0);
      expect(run.stdout).not.toMatch(/BEGIN|LS0tLS1|PRIVATE/);
    }
  });

  it('says so where there is nothing', async () => {
    const run = await commandLine(['status'], { api: anEmbeddedApi() });
    expect([run.status, run.stdout]).toEqual([0, 'There are no Ingresses and no Certificates here.\n']);
  });

  it('tells an expired certificate from a good one', async () => {
    const api = anEmbeddedApi();
    await put(api, ingresses, anIngress());
    await put(api, secrets, aSecret('shop', 'shop-tls'));
    const run = await commandLine(['status'], { api, now: () => now + 100 * day });
    expect(run.status).toBe(1);
    expect(run.stdout).toContain('2026-03-31 (expired)');
  });

  it('repeats what Postern found wrong with an Ingress', async () => {
    const api = anEmbeddedApi();
    const ingress = await put(
      api,
      ingresses,
      anIngress({ 'cert-manager.io/issuer': 'a', 'cert-manager.io/cluster-issuer': 'b' }),
    );
    for (const [name, message] of [
      ['1', 'old words'],
      ['2', 'both are set'],
    ] as const) {
      await api.create(events, {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { namespace: 'shop', name },
        involvedObject: { kind: 'Ingress', namespace: 'shop', name: ingress.metadata.name ?? '' },
        type: 'Warning',
        reason: 'BadConfig',
        message,
        lastTimestamp: `2026-01-01T00:00:0${name}Z`,
      });
    }
    const run = await commandLine(['status'], { api });
    expect(run.stdout).toContain('Ingress "front" is not understood: both are set.');
  });

  it('has colours on a terminal, and none where they are not wanted', async () => {
    const api = await aBusyApi();
    const on = await commandLine(['status'], { api, ioOptions: { stdoutIsTty: true } });
    expect(on.stdout).toContain('\u001B[32mready\u001B[0m');
    const off = await commandLine(['status'], {
      api,
      ioOptions: { stdoutIsTty: true, environment: { NO_COLOR: '1' } },
    });
    expect(off.stdout).not.toContain('\u001B');
  });

  describe('of one certificate', () => {
    async function withEvents(api: KubeApi): Promise<KubeApi> {
      const told = (name: string, kind: string, object: string, reason: string, message: string, count = 1) =>
        api.create(events, {
          apiVersion: 'v1',
          kind: 'Event',
          metadata: { namespace: 'shop', name },
          involvedObject: { kind, namespace: 'shop', name: object },
          type: reason === 'PresentError' ? 'Warning' : 'Normal',
          reason,
          message,
          count,
          lastTimestamp: `2026-01-01T00:0${name}:00Z`,
        });
      await told('2', 'Challenge', 'shop-tls-1-77-shop.test', 'PresentError', 'It answered 404.', 3);
      await told('1', 'Certificate', 'shop-tls', 'Issuing', 'Issuing a certificate.');
      await told('3', 'Certificate', 'another', 'Issuing', 'Not of interest.');
      return api;
    }

    it('shows its chain, its events and what to do next', async () => {
      const api = await withEvents(await aBusyApi());
      const run = await commandLine(['status', 'certificate', 'shop-tls', '-n', 'shop'], { api });
      expect([run.status, run.stderr]).toEqual([1, '']);
      const text = run.stdout.replace(/Created .*/, 'Created <now>');
      await expect(text).toMatchFileSnapshot('golden/status-certificate.txt');
    });

    it('shows one that is ready', async () => {
      const run = await commandLine(['status', 'certificate', 'mail', '-n', 'shop', '--kubeconfig', 'k'], {
        api: await aBusyApi(),
      });
      expect(run.status).toBe(0);
      expect(run.stdout).toContain('Certificate shop/mail: ready\n');
      expect(run.stdout).toContain(
        'Next\n  postern inspect secret mail-tls -n shop --kubeconfig k  # see what it holds\n  postern renew mail -n shop --kubeconfig k               # renew it now\n',
      );
    });

    it('names the request that waits for approval', async () => {
      const api = anEmbeddedApi();
      await put(api, clusterIssuers, anIssuer());
      await put(
        api,
        certificates,
        aCertificate({ conditions: [condition('Issuing', 'True', 'DoesNotExist')] }),
      );
      await put(api, certificateRequests, aRequest());
      const run = await commandLine(['status', 'cert', 'shop-tls', '-n', 'shop', '-o', 'json'], { api });
      expect(JSON.parse(run.stdout)).toMatchObject({
        state: 'not-ready',
        cause: expect.stringContaining('is not approved yet'),
        conditions: [{ type: 'Issuing' }],
        objects: [
          { kind: 'Certificate', state: 'not ready' },
          { kind: 'ClusterIssuer', name: 'le', state: 'ready' },
          { kind: 'CertificateRequest', name: 'shop-tls-1', state: 'new' },
          { kind: 'Secret', state: 'missing' },
        ],
        next: [{ command: 'postern approve shop-tls-1 -n shop', why: 'let it be signed' }],
      });
    });

    it('says where there is one of that name', async () => {
      const run = await commandLine(['status', 'certificate', 'mail'], { api: await aBusyApi() });
      expect([run.status, run.stderr]).toEqual([
        1,
        'postern: There is no Certificate "mail" in namespace "default"; there is one in "shop": name it by --namespace.\n',
      ]);
    });

    it.each([[['certificate']], [['certificate', 'a', 'b']]])('refuses %j', async argv => {
      const run = await commandLine(['status', ...argv]);
      expect([run.status, run.stderr]).toEqual([
        2,
        'postern: postern status certificate takes the name of one certificate.\nSee "postern help status".\n',
      ]);
    });
  });

  it('does without what it may not read', async () => {
    const api = await aBusyApi();
    const forbidden = new KubeError('KUBE_FORBIDDEN', 'secrets is forbidden');
    const limited: KubeApi = {
      ...api,
      list: (resource, options) =>
        ['secrets', 'events'].includes(resource.plural)
          ? Promise.reject(forbidden)
          : api.list(resource, options),
      get: (resource, key) =>
        resource.plural === 'secrets' ? Promise.reject(forbidden) : api.get(resource, key),
    };
    const run = await commandLine(['status'], { api: limited });
    expect(run.stdout).toContain('Secret "plain-tls" cannot be read: secrets is forbidden');
    expect(run.stdout).toMatch(/mail\.test +ready/);
  });

  it('says what to install where the resources are not there', async () => {
    const api = anEmbeddedApi();
    const without: KubeApi = {
      ...api,
      list: (resource, options) =>
        resource.plural === 'orders'
          ? Promise.reject(new KubeError('KUBE_NOT_FOUND', 'not found'))
          : api.list(resource, options),
    };
    const run = await commandLine(['status'], { api: without });
    expect([run.status, run.stdout]).toEqual([1, '']);
    expect(run.stderr).toBe(
      'postern: The API server does not know Order (acme.cert-manager.io/v1): install the CRDs, kubectl apply -f crds/.\n',
    );
  });

  it.each([
    [[], {}, { kind: 'cluster', kubeconfig: undefined }],
    [['--kubeconfig', 'k'], {}, { kind: 'cluster', kubeconfig: 'k' }],
    [['--state-dir', 's'], {}, { kind: 'state-folder', stateDir: 's' }],
    [['--standalone', 'm'], {}, { kind: 'state-folder', stateDir: '/home/someone/.local/state/postern' }],
    [['--standalone', 'm'], { POSTERN_STATE_DIR: 's' }, { kind: 'state-folder', stateDir: 's' }],
    [[], { POSTERN_KUBECONFIG: 'k' }, { kind: 'cluster', kubeconfig: 'k' }],
  ])('with %j and %j opens %j', async (argv, environment, source) => {
    const run = await commandLine(['status', ...argv], { api: anEmbeddedApi(), ioOptions: { environment } });
    expect(run.opened).toEqual([source]);
  });

  it.each([
    [
      ['--state-dir', 's', '--kubeconfig', 'k'],
      '--state-dir and --kubeconfig exclude each other: the objects of a state folder or of a cluster.',
    ],
    [['-o', 'yaml'], '--output: "yaml" is not one of table, json.'],
    [['--ouput', 'json'], 'There is no flag --ouput. Did you mean --output?'],
  ])('refuses %j', async (argv, problem) => {
    const run = await commandLine(['status', ...argv]);
    expect([run.status, run.stderr]).toEqual([2, `postern: ${problem}\nSee "postern help status".\n`]);
  });

  it('has this help', async () => {
    const { stdout } = await commandLine(['help', 'status']);
    await expect(stdout).toMatchFileSnapshot('golden/help-status.txt');
  });
});

import { describe, expect, it } from 'vitest';
import { type Certificate, certificates } from '../api/cert-manager/certificate.ts';
import { anEmbeddedApi } from '../kube/embedded/store.testing.ts';
import { KubeError } from '../kube/errors.ts';
import type { KubeApi } from '../kube/port.ts';
import { put, renamed } from './cli-objects.testing.ts';
import { commandLine } from './program.testing.ts';
import { aCertificate, condition } from './status/objects.testing.ts';

const ready = condition('Ready', 'True', 'Ready', 'It is up to date.');
const issuing = condition('Issuing', 'True', 'Renewing', 'It expires soon.');

/** In namespace `shop` two Certificates that are ready and one that is being issued, in `blog` one more. */
async function aFewCertificates(): Promise<KubeApi> {
  const api = anEmbeddedApi();
  const site = aCertificate({ conditions: [ready], revision: 3 });
  await put(api, certificates, renamed(site, 'one', { labels: { app: 'shop' } }));
  await put(api, certificates, renamed(site, 'two'));
  await put(api, certificates, renamed(aCertificate({ conditions: [ready, issuing] }), 'busy'));
  await put(api, certificates, renamed(site, 'other', { namespace: 'blog', labels: { app: 'shop' } }));
  return api;
}

const statusOf = async (api: KubeApi, name: string, namespace = 'shop'): Promise<Certificate['status']> =>
  (await api.get(certificates, { namespace, name })).status;

/** The names of the Certificates whose renewal was asked for. */
async function askedFor(api: KubeApi): Promise<string[]> {
  const { items } = await api.list(certificates);
  return items
    .filter(({ status }) => status?.conditions?.some(({ reason }) => reason === 'ManuallyTriggered'))
    .map(({ metadata }) => metadata.name ?? '')
    .toSorted();
}

describe('postern renew', () => {
  it('sets the condition that the controllers look for, and keeps the rest of the status', async () => {
    const api = await aFewCertificates();
    const run = await commandLine(['renew', 'one', '-n', 'shop'], { api });
    expect([run.status, run.stdout, run.stderr]).toEqual([
      0,
      'Certificate shop/one is to be renewed.\nFollow it by: postern status certificate one -n shop\n',
      '',
    ]);
    expect(await statusOf(api, 'one')).toEqual({
      revision: 3,
      conditions: [
        ready,
        {
          type: 'Issuing',
          status: 'True',
          reason: 'ManuallyTriggered',
          message: 'The renewal was asked for by "postern renew".',
          lastTransitionTime: '2026-01-01T00:00:00Z',
          observedGeneration: 1,
        },
      ],
    });
    expect(await askedFor(api)).toEqual(['one']);
  });

  it('refuses where the certificate is being issued already, and goes on with the others', async () => {
    const api = await aFewCertificates();
    const before = await statusOf(api, 'busy');
    const run = await commandLine(['renew', 'busy', 'two', '-n', 'shop'], { api });
    expect(run.status).toBe(1);
    expect(run.stderr).toBe(
      'postern: Certificate shop/busy is being issued already since 2026-01-01T00:00:00Z (Renewing: It expires soon); nothing was changed.\n',
    );
    expect(run.stdout).toContain('Certificate shop/two is to be renewed.');
    expect(await statusOf(api, 'busy')).toEqual(before);
    expect(await askedFor(api)).toEqual(['two']);
  });

  it.each([
    [
      ['--all', '-n', 'shop'],
      ['one', 'two'],
    ],
    [
      ['--all', '-A'],
      ['one', 'other', 'two'],
    ],
    [['-l', 'app=shop', '-n', 'shop'], ['one']],
    [
      ['-l', 'app in (shop,mail)', '--all-namespaces'],
      ['one', 'other'],
    ],
  ])('with %j renews %j, and passes over what is under way', async (argv, names) => {
    const api = await aFewCertificates();
    const run = await commandLine(['renew', ...argv], { api });
    expect([run.status, run.stderr]).toEqual([0, '']);
    expect(await askedFor(api)).toEqual(names);
  });

  it.each([
    [
      ['one'],
      'There is no Certificate "one" in namespace "default"; there is one in "shop": name it by --namespace.',
    ],
    [['three', '-n', 'shop'], 'There is no Certificate "three" in namespace "shop".'],
    [['--all'], 'There is no Certificate in namespace "default".'],
    [['-l', 'app=mail', '-A'], 'There is no Certificate with app=mail in any namespace.'],
    [['-l', 'app in', '-A'], 'label selector "app in": "app in" is no requirement'],
  ])('with %j says %j', async (argv, message) => {
    const api = await aFewCertificates();
    const run = await commandLine(['renew', ...argv], { api });
    expect([run.status, run.stdout, run.stderr]).toEqual([1, '', `postern: ${message}\n`]);
    expect(await askedFor(api)).toEqual([]);
  });

  it('tries again after a failure without waiting for its time', async () => {
    const api = anEmbeddedApi();
    const failed = condition('Issuing', 'False', 'Failed', 'It has failed.');
    await put(
      api,
      certificates,
      aCertificate({
        conditions: [failed],
        lastFailureTime: '2025-12-31T23:00:00Z',
        failedIssuanceAttempts: 4,
      }),
    );
    const run = await commandLine(['renew', 'shop-tls', '-n', 'shop'], { api });
    expect(run.status).toBe(0);
    expect(await statusOf(api, 'shop-tls')).toMatchObject({
      failedIssuanceAttempts: 4,
      conditions: [{ type: 'Issuing', status: 'True', reason: 'ManuallyTriggered' }],
    });
  });

  it('says what has to be put right before the renewal can begin', async () => {
    const api = anEmbeddedApi();
    const refused = condition('Ready', 'False', 'InvalidSpec', 'spec.dnsNames[0]: "x y" is no name.');
    await put(api, certificates, aCertificate({ conditions: [refused] }));
    const run = await commandLine(['renew', 'shop-tls', '-n', 'shop'], { api });
    expect(run.stdout).toContain(
      'Certificate shop/shop-tls is to be renewed, once this is put right: spec.dnsNames[0]: "x y" is no name.',
    );
  });

  it('refuses a Certificate that is being deleted', async () => {
    const api = anEmbeddedApi();
    const site = aCertificate({ conditions: [ready] });
    await put(api, certificates, { ...site, metadata: { ...site.metadata, finalizers: ['x.test/y'] } });
    await api.delete(certificates, { namespace: 'shop', name: 'shop-tls' });
    const run = await commandLine(['renew', 'shop-tls', '-n', 'shop'], { api });
    expect([run.status, run.stderr]).toEqual([1, 'postern: Certificate shop/shop-tls is being deleted.\n']);
    expect(await askedFor(api)).toEqual([]);
  });

  it('reads again where a controller has written meanwhile', async () => {
    const api = await aFewCertificates();
    let raced = false;
    const racing: KubeApi = {
      ...api,
      async updateStatus(resource, object) {
        if (!raced) {
          raced = true;
          const live = await api.get(certificates, { namespace: 'shop', name: 'one' });
          await api.updateStatus(certificates, { ...live, status: { ...live.status, revision: 4 } });
        }
        return api.updateStatus(resource, object);
      },
    };
    const run = await commandLine(['renew', 'one', '-n', 'shop'], { api: racing });
    expect(run.status).toBe(0);
    expect(await statusOf(api, 'one')).toMatchObject({ revision: 4 });
    expect(await askedFor(api)).toEqual(['one']);
  });

  it('does not ask twice where the controllers have begun meanwhile', async () => {
    const api = await aFewCertificates();
    const racing: KubeApi = {
      ...api,
      async updateStatus() {
        const live = await api.get(certificates, { namespace: 'shop', name: 'one' });
        await api.updateStatus(certificates, { ...live, status: { conditions: [issuing] } });
        throw new KubeError('KUBE_CONFLICT', 'old');
      },
    };
    const run = await commandLine(['renew', 'one', '-n', 'shop'], { api: racing });
    expect([run.status, run.stderr]).toEqual([1, expect.stringContaining('is being issued already')]);
  });

  it('says why it may not', async () => {
    const api = await aFewCertificates();
    const limited: KubeApi = {
      ...api,
      updateStatus: () => Promise.reject(new KubeError('KUBE_FORBIDDEN', 'certificates/status is forbidden')),
    };
    const run = await commandLine(['renew', 'one', '-n', 'shop'], { api: limited });
    expect([run.status, run.stdout, run.stderr]).toEqual([
      1,
      '',
      'postern: certificates/status is forbidden\n',
    ]);
  });

  it('says what to install where the resources are not there', async () => {
    const api = anEmbeddedApi();
    const notFound = () => Promise.reject(new KubeError('KUBE_NOT_FOUND', 'not found'));
    const without: KubeApi = { ...api, get: notFound, list: notFound, serves: async () => false };
    for (const argv of [['one'], ['--all']]) {
      const run = await commandLine(['renew', ...argv], { api: without });
      expect([run.status, run.stderr]).toEqual([
        1,
        'postern: The API server does not know Certificate (cert-manager.io/v1): install the CRDs, kubectl apply -f crds/.\n',
      ]);
    }
  });

  it.each([
    [[], 'postern renew needs to know which certificates: name them, or give --all or --selector.'],
    [['one', '--all'], 'names and --all exclude each other: give one of them.'],
    [['--all', '-l', 'a=b'], '--all and --selector exclude each other: give one of them.'],
    [['one', '-A'], '--all-namespaces goes with --all or --selector: names are those of one namespace.'],
    [['--all', '-A', '-n', 'x'], '--all-namespaces and --namespace exclude each other: give one of them.'],
    [['One'], 'postern renew: "One" is not a name: lower-case letters, digits, dashes and dots.'],
    [['one', '--nmespace', 'x'], 'There is no flag --nmespace. Did you mean --namespace?'],
  ])('refuses %j', async (argv, problem) => {
    const run = await commandLine(['renew', ...argv]);
    expect([run.status, run.stderr]).toEqual([2, `postern: ${problem}\nSee "postern help renew".\n`]);
    expect(run.opened).toEqual([]);
  });

  it('takes from the environment where the objects are, and never which ones', async () => {
    const api = await aFewCertificates();
    const environment = { POSTERN_STATE_DIR: '/a folder', POSTERN_NAMESPACE: 'shop' };
    const run = await commandLine(['renew', 'one'], { api, ioOptions: { environment } });
    expect(run.opened).toEqual([{ kind: 'state-folder', stateDir: '/a folder' }]);
    expect(run.stdout).toContain(
      "Follow it by: postern status certificate one -n shop --state-dir '/a folder'\n",
    );
    const all = await commandLine(['renew'], { api, ioOptions: { environment: { POSTERN_ALL: 'true' } } });
    expect(all.status).toBe(2);
    expect(all.stderr).toContain('There is no setting for the environment variable POSTERN_ALL.');
  });

  it('has this help', async () => {
    const { stdout } = await commandLine(['help', 'renew']);
    await expect(stdout).toMatchFileSnapshot('golden/help-renew.txt');
  });
});

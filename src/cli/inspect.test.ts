import { beforeAll, describe, expect, it } from 'vitest';
import { certificates } from '../api/cert-manager/certificate.ts';
import { ingresses } from '../api/kubernetes/ingress.ts';
import { type Secret, secrets } from '../api/kubernetes/secret.ts';
import { anEmbeddedApi } from '../kube/embedded/store.testing.ts';
import { KubeError } from '../kube/errors.ts';
import type { KubeApi } from '../kube/port.ts';
import { anAuthority, aCertificate as signed, type TestCertificate } from '../pki/pki.testing.ts';
import { encodePrivateKey } from '../pki/private-key.ts';
import { subjectName } from '../pki/subject.ts';
import { aTlsSecret, put } from './cli-objects.testing.ts';
import { commandLine } from './program.testing.ts';
import { aCertificate, anIngress, condition } from './status/objects.testing.ts';

const now = Date.UTC(2026, 0, 1);
const day = 86_400_000;
const validity = { notBeforeMs: now - day, notAfterMs: now + 89.5 * day };
const names = { dnsNames: ['shop.test', '*.shop.test'], ipAddresses: ['192.0.2.9'] };

let root: TestCertificate;
let intermediate: TestCertificate;
let site: TestCertificate;
let other: TestCertificate;

beforeAll(async () => {
  const long = { notBeforeMs: now - 9 * day, notAfterMs: now + 900 * day };
  root = await anAuthority({ ...long, commonName: 'Test Root' });
  intermediate = await signed({
    issuer: root,
    ...long,
    isCA: true,
    dnsNames: [],
    commonName: 'Test Intermediate',
  });
  site = await signed({
    issuer: intermediate,
    ...validity,
    ...names,
    commonName: 'shop.test',
    usages: ['digital signature', 'key encipherment', 'server auth'],
  });
  other = await signed({ issuer: intermediate, ...validity });
});

const fullChain = (): string => site.certificate + intermediate.certificate;
const good = (): Secret =>
  aTlsSecret('shop', 'shop-tls', site, {
    chain: fullChain(),
    ca: root.certificate,
    annotations: {
      'cert-manager.io/certificate-name': 'shop-tls',
      'cert-manager.io/issuer-name': 'le',
      'example.com/other': 'x',
    },
  });

async function withSecret(secret: Secret): Promise<KubeApi> {
  const api = anEmbeddedApi();
  await put(api, secrets, secret);
  return api;
}

/** A site that is served: the Secret, its Certificate and its Ingress. */
async function aSite(secret = good(), hosts = ['shop.test', 'www.shop.test']): Promise<KubeApi> {
  const api = await withSecret(secret);
  await put(
    api,
    certificates,
    aCertificate({
      conditions: [condition('Ready', 'True', 'Ready')],
      revision: 4,
      renewalTime: '2026-03-01T12:00:00Z',
    }),
  );
  await put(
    api,
    ingresses,
    anIngress({}, { rules: [{ host: 'shop.test' }], tls: [{ hosts, secretName: 'shop-tls' }] }),
  );
  return api;
}

const inspect = (api: KubeApi, ...argv: string[]) =>
  commandLine(['inspect', 'secret', 'shop-tls', '-n', 'shop', ...argv], { api });

/** What changes from run to run: serial numbers and fingerprints. */
const masked = (text: string): string =>
  text.replaceAll(/\b[0-9a-f]{64}\b/g, '<sha-256>').replaceAll(/\b[0-9A-F]{20,40}\b/g, '<serial>');

describe('postern inspect secret', () => {
  it('shows what is in a good one, and who has to do with it', async () => {
    const run = await inspect(await aSite());
    expect([run.status, run.stderr]).toEqual([0, '']);
    await expect(masked(run.stdout)).toMatchFileSnapshot('golden/inspect-secret.txt');
  });

  it('shows what is wrong with a bad one', async () => {
    const secret = aTlsSecret('shop', 'shop-tls', site, { key: encodePrivateKey(other.key) });
    const run = await commandLine(['inspect', 'secret', 'shop-tls', '-n', 'shop'], {
      api: await aSite(secret, ['shop.test', 'mail.test']),
      now: () => now + 100 * day,
    });
    expect([run.status, run.stderr]).toEqual([1, '']);
    await expect(masked(run.stdout)).toMatchFileSnapshot('golden/inspect-bad-secret.txt');
  });

  it('prints JSON for programs', async () => {
    const run = await inspect(await aSite(), '-o', 'json');
    expect(run.status).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({
      namespace: 'shop',
      name: 'shop-tls',
      type: 'kubernetes.io/tls',
      data: ['ca.crt', 'tls.crt', 'tls.key'],
      privateKey: { state: 'fits', kind: 'ECDSA 256' },
      names: { ...names, uris: [], emailAddresses: [] },
      usages: ['digital signature', 'server auth'],
      chain: [
        { subject: 'CN=shop.test', issuer: 'CN=Test Intermediate', validity: 'valid', isCA: false },
        { subject: 'CN=Test Intermediate', issuer: 'CN=Test Root', isCA: true },
      ],
      trust: { caCrt: true, publicRoot: null },
      certificate: { name: 'shop-tls', ready: true, issuer: 'ClusterIssuer/le', revision: 4 },
      hosts: [
        { host: 'shop.test', ingress: 'front', covered: true },
        { host: 'www.shop.test', ingress: 'front', covered: true },
      ],
      annotations: { 'cert-manager.io/issuer-name': 'le' },
      problems: [],
    });
  });

  it.each(['text', 'json'])('never prints the private key, as %s', async format => {
    const key = encodePrivateKey(site.key);
    const broken = `${key.slice(0, 80)}!${key.slice(80)}`;
    for (const given of [key, broken, key.replace('EC PRIVATE', 'ODD PRIVATE')]) {
      const api = await withSecret(aTlsSecret('shop', 'shop-tls', site, { key: given }));
      const run = await inspect(api, '-o', format);
      const lines = key.split('\n').filter(line => line.length > 20 && !line.startsWith('--'));
      for (const line of lines) {
        expect(run.stdout + run.stderr).not.toContain(line.slice(0, 16));
        expect(run.stdout + run.stderr).not.toContain(Buffer.from(line).toString('base64').slice(0, 16));
      }
      expect(run.stdout).not.toContain('BEGIN');
    }
  });

  it('knows the public authorities', async () => {
    const api = await withSecret(aTlsSecret('shop', 'shop-tls', site, { chain: fullChain() }));
    const run = await commandLine(['inspect', 'secret', 'shop-tls', '-n', 'shop', '-o', 'json'], {
      api,
      publicRoots: () => ['no certificate', root.certificate],
    });
    expect(JSON.parse(run.stdout)).toMatchObject({
      trust: { caCrt: null, publicRoot: 'CN=Test Root' },
      problems: [],
    });
  });

  it('does without what it may not read', async () => {
    const api = await aSite();
    const limited: KubeApi = {
      ...api,
      list: () => Promise.reject(new KubeError('KUBE_FORBIDDEN', 'forbidden')),
    };
    const run = await inspect(limited, '-o', 'json');
    expect(JSON.parse(run.stdout)).toMatchObject({
      certificate: null,
      hosts: [],
      privateKey: { state: 'fits' },
    });
  });

  it('says so where there is no such Secret, or it may not be read', async () => {
    const api = await aSite();
    const elsewhere = await commandLine(['inspect', 'secret', 'shop-tls'], { api });
    expect([elsewhere.status, elsewhere.stderr]).toEqual([
      1,
      'postern: There is no Secret "shop-tls" in namespace "default"; there is one in "shop": name it by --namespace.\n',
    ]);
    const forbidden: KubeApi = {
      ...api,
      get: () => Promise.reject(new KubeError('KUBE_FORBIDDEN', 'secrets is forbidden')),
    };
    const refused = await inspect(forbidden);
    expect([refused.status, refused.stderr]).toEqual([1, 'postern: secrets is forbidden\n']);
  });

  it('prints no control characters of others', async () => {
    const evil = await signed({
      issuer: root,
      ...validity,
      subject: subjectName({ commonName: 'x\u001B[31m' }),
    });
    const run = await inspect(await withSecret(aTlsSecret('shop', 'shop-tls', evil)));
    expect(run.stdout).toContain('CN=x');
    expect(run.stdout).not.toContain('\u001B');
  });

  it.each([
    [[], 'postern inspect takes "secret NAME".'],
    [['certificate', 'x'], 'postern inspect looks into Secrets: "secret NAME", not "certificate".'],
    [['secret'], 'postern inspect secret takes the name of one Secret.'],
    [['secret', 'a', 'b'], 'postern inspect secret takes the name of one Secret.'],
    [['secret', 'a', '-o', 'yaml'], '--output: "yaml" is not one of text, json.'],
    [
      ['secret', '../x'],
      'postern inspect secret: "../x" is not a name: lower-case letters, digits, dashes and dots.',
    ],
  ])('refuses %j', async (argv, problem) => {
    const run = await commandLine(['inspect', ...argv]);
    expect([run.status, run.stderr]).toEqual([2, `postern: ${problem}\nSee "postern help inspect".\n`]);
  });

  it('has this help', async () => {
    const { stdout } = await commandLine(['help', 'inspect']);
    await expect(stdout).toMatchFileSnapshot('golden/help-inspect.txt');
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { customKinds } from '../../src/api/crd/custom-kinds.ts';
import { emissaryFolder, withoutCelFolder } from '../../src/api/crd/rendered.ts';
import { manifests } from '../../src/api/manifests.testing.ts';
import type { KubeObject } from '../../src/api/meta.ts';
import { validateObject } from '../../src/api/schemas.ts';
import { type Cluster, startCluster } from '../harness/cluster.ts';
import { ifAvailable } from '../servers/install.ts';
import { provisionKubernetes } from '../servers/kubernetes.ts';
import { CommandFailed } from '../servers/run.ts';
import { kubernetesLines } from '../servers/versions.ts';

/*
 * crds/ on real API servers: taken as they are by kubectl, and of the same mind as the schemas in src/api
 * that they are made from.
 */

const crds = join(import.meta.dirname, '../../crds');
const metadata = { name: 'probe', namespace: 'sandbox' };

const good = { secretName: 'shop-tls', issuerRef: { name: 'ca' }, dnsNames: ['shop.example'] };
const certificate = (spec: object): object => ({
  apiVersion: 'cert-manager.io/v1',
  kind: 'Certificate',
  metadata,
  spec: { ...good, ...spec },
});
const acme = { server: 'https://acme.example/dir', privateKeySecretRef: { name: 'key' } };
const issuer = (spec: object): object => ({
  apiVersion: 'cert-manager.io/v1',
  kind: 'Issuer',
  metadata,
  spec,
});
const solver = (one: object): object => issuer({ acme: { ...acme, solvers: [one] } });

/** Objects on which an OpenAPI check decides, on every line. */
const bySchema: readonly (readonly [string, object])[] = [
  ['no issuerRef', certificate({ issuerRef: undefined })],
  ['an empty issuer name', certificate({ issuerRef: { name: '' } })],
  ['a bad Secret name', certificate({ secretName: 'Shop_TLS' })],
  ['a long common name', certificate({ commonName: 'a'.repeat(65) })],
  ['a duration in days', certificate({ duration: '90d' })],
  ['a percentage of 100', certificate({ renewBeforePercentage: 100 })],
  ['a number as a name', certificate({ dnsNames: [1] })],
  ['an unknown usage', certificate({ usages: ['sign'] })],
  ['an unknown key algorithm', certificate({ privateKey: { algorithm: 'DSA' } })],
  ['no revision kept', certificate({ revisionHistoryLimit: 0 })],
  ['a CA issuer without a Secret', issuer({ ca: {} })],
  ['a server that is no URL', issuer({ acme: { ...acme, server: 'acme.example' } })],
  ['a bundle that is no base64', issuer({ acme: { ...acme, caBundle: '-----BEGIN' } })],
];

/** Objects on which a CEL rule decides: not on the old line, which knows no CEL. */
const byRule: readonly (readonly [string, object])[] = [
  ['no name at all', certificate({ dnsNames: [] })],
  ['a literal subject without a common name', certificate({ dnsNames: [], literalSubject: 'O=CNN' })],
  [
    'a literal subject with a common name beside it',
    certificate({ literalSubject: 'CN=a', commonName: 'a' }),
  ],
  ['two subjects', certificate({ literalSubject: 'CN=a', subject: { countries: ['DE'] } })],
  ['a short duration', certificate({ duration: '59m59s' })],
  ['a short renewBefore', certificate({ renewBefore: '299s' })],
  ['a renewBefore as long as the default duration', certificate({ renewBefore: '2160h' })],
  ['a renewBefore as long as the duration', certificate({ duration: '2h', renewBefore: '120m' })],
  ['both renewBefore and its percentage', certificate({ renewBefore: '10h', renewBeforePercentage: 10 })],
  ['a percentage too small for the duration', certificate({ duration: '1h', renewBeforePercentage: 8 })],
  ['a small RSA key', certificate({ privateKey: { size: 1024 } })],
  ['an odd ECDSA key', certificate({ privateKey: { algorithm: 'ECDSA', size: 257 } })],
  ['a signature that does not fit', certificate({ signatureAlgorithm: 'PureEd25519' })],
  [
    'an ECDSA signature for Ed25519',
    certificate({ privateKey: { algorithm: 'Ed25519' }, signatureAlgorithm: 'ECDSAWithSHA256' }),
  ],
  ['a keystore without a password', certificate({ keystores: { jks: { create: true } } })],
  [
    'a keystore with two passwords',
    certificate({ keystores: { pkcs12: { create: true, password: 'a', passwordSecretRef: { name: 'a' } } } }),
  ],
  ['the same format twice', certificate({ additionalOutputFormats: [{ type: 'DER' }, { type: 'DER' }] })],
  ['name constraints without isCA', certificate({ nameConstraints: { permitted: {} } })],
  ['empty name constraints', certificate({ isCA: true, nameConstraints: { critical: true } })],
  [
    'a reserved annotation',
    certificate({ secretTemplate: { annotations: { 'cert-manager.io/alt-names': 'a' } } }),
  ],
  ['a kind without its group', certificate({ issuerRef: { name: 'a', kind: 'AWSPCAIssuer' } })],
  ['no type of issuer', issuer({})],
  ['two types of issuers', issuer({ selfSigned: {}, vault: { server: 'a' } })],
  ['caBundle with skipTLSVerify', issuer({ acme: { ...acme, caBundle: 'YQ==', skipTLSVerify: true } })],
  ['a solver of no type', solver({ selector: {} })],
  ['a solver of two types', solver({ http01: { ingress: {} }, dns01: { cloudflare: {} } })],
  ['an empty http01', solver({ http01: {} })],
  ['a class said twice', solver({ http01: { ingress: { class: 'a', ingressClassName: 'a' } } })],
];

/** Objects at the limits of the rules, on the good side. */
const justGood: readonly (readonly [string, object])[] = [
  ['the shortest times', certificate({ duration: '1h', renewBefore: '5m' })],
  ['the smallest percentage', certificate({ duration: '100m', renewBeforePercentage: 5 })],
  [
    'a literal subject',
    certificate({ dnsNames: [], literalSubject: 'O=Acme, cn=a', subject: { countries: [] } }),
  ],
  ['a key size of 0', certificate({ privateKey: { algorithm: 'ECDSA', size: 0 } })],
  ['any size for Ed25519', certificate({ privateKey: { algorithm: 'Ed25519', size: 1 } })],
  ['two formats', certificate({ additionalOutputFormats: [{ type: 'DER' }, { type: 'CombinedPEM' }] })],
  ['an issuer of another group', certificate({ issuerRef: { name: 'a', kind: 'A', group: 'a.example' } })],
  ['an empty name beside a class', solver({ http01: { ingress: { class: 'a', name: '' } } })],
  ['a null for a list', certificate({ uris: null })],
  ['an empty ingress', solver({ http01: { ingress: {} } })],
  ['a venafi issuer with whatever', issuer({ venafi: { zone: 'a', more: { is: ['kept', 1] } } })],
];

function verdictOf(object: object): readonly string[] {
  const given = JSON.parse(JSON.stringify(object)) as KubeObject;
  const kind = customKinds.find(({ resource }) => resource.kind === given.kind);
  if (kind === undefined) throw new Error(`no kind for ${given.kind}`);
  return validateObject(kind.resource, given).problems.map(problem => problem.message);
}

for (const line of kubernetesLines) {
  const servers = await ifAvailable(provisionKubernetes(line));
  const hasCel = line !== '1.20';

  describe.skipIf(servers === undefined)(`crds/ on the line ${line}`, () => {
    let dir: string;
    let cluster: Cluster;
    const dryRun = async (object: object): Promise<string> =>
      cluster
        .kubectl(['create', '--dry-run=server', '-f', '-'], JSON.stringify(object))
        .then(() => '')
        .catch((error: unknown) => (error instanceof CommandFailed ? error.stderr : Promise.reject(error)));

    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), 'postern-crds-'));
      cluster = await startCluster({ line, dir });
      await cluster.kubectl(['apply', '-f', hasCel ? crds : join(crds, withoutCelFolder)]);
      await cluster.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
      await cluster.kubectl(['create', 'namespace', metadata.namespace]);
    });
    afterAll(async () => {
      await cluster?.stop();
      await rm(dir, { recursive: true });
    });

    test('are structural, and stay as they are when they are applied again', async () => {
      const { items } = JSON.parse(await cluster.kubectl(['get', 'crd', '-o', 'json'])) as {
        items: { status: { conditions: { type: string; status: string }[] } }[];
      };
      expect(items).toHaveLength(customKinds.length);
      for (const { status } of items) {
        expect(
          status.conditions
            .filter(one => one.status === 'True')
            .map(one => one.type)
            .toSorted(),
        ).toEqual(['Established', 'NamesAccepted']);
      }
      const again = await cluster.kubectl(['apply', '-f', hasCel ? crds : join(crds, withoutCelFolder)]);
      expect(
        again
          .trim()
          .split('\n')
          .every(text => text.endsWith(' unchanged')),
      ).toBe(true);
    });

    test.each(Object.entries(manifests))('take %s, and keep its spec', async (_name, yaml) => {
      const object = parse(yaml) as KubeObject & { spec: object };
      await cluster.apply(stringify(object));
      const { name = '', namespace } = object.metadata;
      const kind = customKinds.find(({ resource }) => resource.kind === object.kind);
      const where = namespace === undefined ? [] : ['-n', namespace];
      const stored = await cluster.kubectl([
        'get',
        kind?.resource.plural ?? '',
        name,
        ...where,
        '-o',
        'json',
      ]);
      expect((JSON.parse(stored) as typeof object).spec).toEqual(object.spec);
    });

    test.each(bySchema)('refuse %s, as the schemas do', async (_name, object) => {
      expect(verdictOf(object)).toHaveLength(1);
      expect(await dryRun(object)).toMatch(/is invalid|error validating data|unknown object type/);
    });

    test.each(justGood)('take %s, as the schemas do', async (_name, object) => {
      expect(verdictOf(object)).toEqual([]);
      expect(await dryRun(object)).toBe('');
    });

    test.skipIf(!hasCel).each(byRule)('refuse %s, in the words of the schemas', async (_name, object) => {
      const [message = '', ...others] = verdictOf(object);
      expect(others).toEqual([]);
      // The API server puts the path and the value in front, in its own way; what is wanted is the same.
      const wanted = message.slice(message.search(/(must|names|needs|constrains|is for) /));
      expect(wanted).not.toBe('');
      expect(await dryRun(object)).toContain(wanted);
    });

    test.skipIf(!hasCel).each([
      ['certificaterequests', 'my-ca-cr'],
      ['orders', 'example-com-1'],
      ['challenges', 'example-com-1-0'],
    ])('do not let the spec of %s change', async (plural, name) => {
      const patch = JSON.stringify({ spec: { issuerRef: { name: 'other' } } });
      const change = cluster.kubectl(['patch', plural, name, '-n', 'sandbox', '--type=merge', '-p', patch]);
      await expect(change).rejects.toMatchObject({
        stderr: expect.stringContaining(
          'must not be changed: delete the object and create another',
        ) as string,
      });
    });

    test("of Emissary's kinds are structural, and take what the schemas take", async () => {
      const folder = join(crds, emissaryFolder, hasCel ? '' : withoutCelFolder);
      await cluster.kubectl(['apply', '-f', folder]);
      await cluster.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
      expect(await cluster.kubectl(['apply', '-f', folder])).not.toMatch(/created|configured/);
      const mapping = (spec: object) => ({
        apiVersion: 'getambassador.io/v3alpha1',
        kind: 'Mapping',
        metadata: { name: 'm', namespace: metadata.namespace },
        spec: { hostname: '*', prefix: '/', service: 'https://web', ...spec },
      });
      expect(await dryRun(mapping({ tls: 'context', weight: 20, headers: { 'x-a': '1' } }))).toBe('');
      expect(await dryRun(mapping({ weight: 101 }))).toMatch(/weight/);
      const both = await dryRun(mapping({ prefix_exact: true, prefix_regex: true }));
      if (hasCel) expect(both).toContain('cannot be true together with prefix_regex');
      const context = {
        apiVersion: 'getambassador.io/v3alpha1',
        kind: 'TLSContext',
        metadata: mapping({}).metadata,
      };
      expect(await dryRun({ ...context, spec: { secret: 'a.b', min_tls_version: 'v1.3', sni: 'c' } })).toBe(
        '',
      );
      expect(await dryRun({ ...context, spec: { min_tls_version: 'TLSv1.3' } })).toMatch(/min_tls_version/);
    });

    test('can be listed by their categories and short names', async () => {
      const all = await cluster.kubectl(['get', 'cert-manager', '-n', 'sandbox', '-o', 'name']);
      for (const kind of customKinds) expect(all).toContain(`${kind.resource.kind.toLowerCase()}.`);
      const ofAcme = await cluster.kubectl(['get', 'cert-manager-acme', '-n', 'sandbox', '-o', 'name']);
      expect(ofAcme.trim().split('\n')).toHaveLength(2);
      const certificates = await cluster.kubectl(['get', 'certs', '-n', 'sandbox', '-o', 'wide']);
      expect(certificates.split('\n')[0]?.split(/\s+/)).toEqual([
        'NAME',
        'READY',
        'SECRET',
        'ISSUER',
        'STATUS',
        'AGE',
      ]);
    });
  });
}

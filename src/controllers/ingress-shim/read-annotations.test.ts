import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CertificateSpec } from '../../api/cert-manager/certificate.ts';
import { certificateProblems } from '../../api/cert-manager/certificate-validation.ts';
import type { Ingress } from '../../api/kubernetes/ingress.ts';
import { certificateAnnotations } from './certificate-annotations.ts';
import { readAnnotations } from './read-annotations.ts';
import { certificateFor } from './wanted.ts';

function read(annotations: Record<string, string>, extra: readonly string[] = []) {
  return readAnnotations(anIngress(annotations), extra);
}

function anIngress(annotations: Record<string, string>): Ingress {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web', namespace: 'shop', uid: 'uid', annotations },
    spec: {},
  };
}

const full = (key: string): string => (key.includes('/') ? key : `cert-manager.io/${key}`);

const good: readonly (readonly [key: string, value: string, spec: Partial<CertificateSpec>])[] = [
  ['common-name', 'www.example.com', { commonName: 'www.example.com' }],
  ['common-name', 'x'.repeat(64), { commonName: 'x'.repeat(64) }],
  ['common-name', '', {}],
  [
    'alt-names',
    'a.example.com, *.b.example.com,a.example.com',
    { dnsNames: ['a.example.com', '*.b.example.com'] },
  ],
  ['ip-sans', '192.0.2.1,2001:db8::1', { ipAddresses: ['192.0.2.1', '2001:db8::1'] }],
  ['uri-sans', 'spiffe://a/b,"https://a.example/x,y"', { uris: ['spiffe://a/b', 'https://a.example/x,y'] }],
  ['email-sans', 'a@example.com,b@example.com', { emailAddresses: ['a@example.com', 'b@example.com'] }],
  ['subject-organizations', 'Acme,"Rocket, Inc"', { subject: { organizations: ['Acme', 'Rocket, Inc'] } }],
  ['subject-organizationalunits', 'IT', { subject: { organizationalUnits: ['IT'] } }],
  ['subject-countries', 'DE,FR', { subject: { countries: ['DE', 'FR'] } }],
  ['subject-provinces', 'Bavaria', { subject: { provinces: ['Bavaria'] } }],
  ['subject-localities', 'Munich', { subject: { localities: ['Munich'] } }],
  ['subject-postalcodes', '80331', { subject: { postalCodes: ['80331'] } }],
  [
    'subject-streetaddresses',
    '"1 Main Street, Yard ""B""",2 Side Street',
    { subject: { streetAddresses: ['1 Main Street, Yard "B"', '2 Side Street'] } },
  ],
  ['subject-serialnumber', '1234', { subject: { serialNumber: '1234' } }],
  ['subject-serialnumber', '', {}],
  ['duration', '48h', { duration: '48h0m0s' }],
  ['duration', '1h', { duration: '1h0m0s' }],
  ['duration', '1h30m0.5s', { duration: '1h30m0.5s' }],
  ['renew-before', '5m', { renewBefore: '5m0s' }],
  ['renew-before-percentage', '25', { renewBeforePercentage: 25 }],
  ['usages', 'server auth, client auth', { usages: ['server auth', 'client auth'] }],
  ['revision-history-limit', '7', { revisionHistoryLimit: 7 }],
  ['private-key-algorithm', 'RSA', { privateKey: { algorithm: 'RSA' } }],
  ['private-key-algorithm', 'ECDSA', { privateKey: { algorithm: 'ECDSA' } }],
  ['private-key-algorithm', 'Ed25519', { privateKey: { algorithm: 'Ed25519' } }],
  ['private-key-encoding', 'PKCS1', { privateKey: { encoding: 'PKCS1' } }],
  ['private-key-encoding', 'PKCS8', { privateKey: { encoding: 'PKCS8' } }],
  ['private-key-size', '2048', { privateKey: { size: 2048 } }],
  ['private-key-size', '8192', { privateKey: { size: 8192 } }],
  ['private-key-rotation-policy', 'Never', { privateKey: { rotationPolicy: 'Never' } }],
  ['private-key-rotation-policy', 'Always', { privateKey: { rotationPolicy: 'Always' } }],
  [
    'secret-template',
    '{"labels":{"app":"web"},"annotations":{"example.com/a":"b"}}',
    { secretTemplate: { labels: { app: 'web' }, annotations: { 'example.com/a': 'b' } } },
  ],
  ['secret-template', '{}', {}],
  ['acme.cert-manager.io/http01-edit-in-place', 'yes', {}],
  ['acme.cert-manager.io/http01-ingress-class', 'inner', {}],
  ['acme.cert-manager.io/http01-ingress-ingressclassname', '', {}],
  ['postern.dev/fallback-issuers', 'second', {}],
  ['postern.dev/delete-secret', 'false', {}],
  ['postern.dev/revoke-on-delete', 'true', {}],
];

describe('an annotation that is right', () => {
  it.each(good)('%s: %j', (key, value, spec) => {
    const { spec: found, problems } = read({ [full(key)]: value });
    expect(problems).toEqual([]);
    expect(found).toEqual(spec);
  });

  it('is tried for each row of the table', () => {
    const tried = new Set(good.map(([key]) => full(key)));
    expect(certificateAnnotations.map(({ key }) => key).filter(key => !tried.has(key))).toEqual([]);
  });

  it.each([
    ['ECDSA', '256'],
    ['ECDSA', '384'],
    ['ECDSA', '521'],
    ['RSA', '3072'],
    ['Ed25519', '1'],
  ])('gives a key %s of %s bits', (algorithm, size) => {
    const { spec, problems } = read({
      'cert-manager.io/private-key-algorithm': algorithm,
      'cert-manager.io/private-key-size': size,
    });
    expect(problems).toEqual([]);
    expect(spec.privateKey).toEqual({ algorithm, size: Number(size) });
  });

  it('is passed on as an annotation', () => {
    const given = {
      'acme.cert-manager.io/http01-edit-in-place': 'true',
      'acme.cert-manager.io/http01-ingress-class': 'inner',
      'acme.cert-manager.io/http01-ingress-ingressclassname': 'other',
      'postern.dev/fallback-issuers': 'second,third',
      'postern.dev/delete-secret': 'true',
      'postern.dev/revoke-on-delete': 'false',
      'example.com/team': 'web',
      'example.com/other': 'x',
    };
    expect(read(given, ['example.com/team', 'example.com/absent']).annotations).toEqual({
      'acme.cert-manager.io/http01-override-ingress-name': 'web',
      'cert-manager.io/issue-temporary-certificate': 'true',
      'acme.cert-manager.io/http01-override-ingress-class': 'inner',
      'acme.cert-manager.io/http01-override-ingress-ingressclassname': 'other',
      'postern.dev/fallback-issuers': 'second,third',
      'postern.dev/delete-secret': 'true',
      'postern.dev/revoke-on-delete': 'false',
      'example.com/team': 'web',
    });
  });
});

const bad: readonly (readonly [key: string, value: string, sentence: string])[] = [
  ['common-name', 'x'.repeat(65), 'must have 64 bytes at most'],
  ['common-name', 'é'.repeat(33), 'must have 64 bytes at most'],
  ['common-name', 'a\nb', 'control characters'],
  ['subject-organizations', 'a,b\u0007', 'control characters'],
  ['subject-serialnumber', 'a\tb', 'control characters'],
  ['alt-names', '', 'is empty'],
  ['alt-names', 'a.example.com,b c', 'has "b c": each must be a DNS name'],
  ['alt-names', 'a.example.com,,b.example.com', 'has an empty entry'],
  ['alt-names', '192.0.2.1', 'each must be a DNS name'],
  ['ip-sans', '2160h', 'each must be an IP address'],
  ['ip-sans', 'fe80::1%eth0', 'each must be an IP address'],
  ['uri-sans', '/just/a/path', 'each must be an absolute URI'],
  ['email-sans', 'Ops <ops@example.com>', 'each must be an email address alone'],
  ['subject-organizations', 'Acme,', 'has an empty entry'],
  ['subject-organizationalunits', 'a"b', 'must be one line of comma-separated values'],
  ['subject-countries', '', 'is empty'],
  ['subject-provinces', 'a\nb', 'must be one line of comma-separated values'],
  ['subject-localities', '"a', 'must be one line of comma-separated values'],
  ['subject-postalcodes', ' ', 'is empty'],
  ['subject-streetaddresses', '"a" b', 'must be one line of comma-separated values'],
  ['duration', '59m', 'must be 1h or more'],
  ['duration', '-5s', 'must be 1h or more'],
  ['duration', '90d', 'must be a duration such as'],
  ['duration', '9999999h', 'must be 2562047h at most'],
  ['renew-before', '4m59s', 'must be 5m or more'],
  ['renew-before', '', 'must be a duration such as'],
  ['renew-before', '2160h', 'must be shorter than the lifetime (2160h)'],
  ['renew-before-percentage', '0', 'must be a whole number, from 1 to 99'],
  ['renew-before-percentage', '100', 'must be a whole number, from 1 to 99'],
  ['renew-before-percentage', '2.5', 'must be a whole number, from 1 to 99'],
  ['usages', '', 'is empty'],
  ['usages', 'server auth,serving', 'has "serving", no key usage'],
  ['usages', 'server auth,', 'has "", no key usage'],
  ['revision-history-limit', '0', 'must be a whole number, 1 or more'],
  ['revision-history-limit', '2147483648', 'must be a whole number, 1 or more'],
  ['revision-history-limit', 'x', 'must be a whole number, 1 or more'],
  ['private-key-algorithm', 'rsa', 'must be "RSA" or "ECDSA" or "Ed25519"'],
  ['private-key-encoding', 'DER', 'must be "PKCS1" or "PKCS8"'],
  ['private-key-size', '1024', 'must be 2048 to 8192 for an RSA key'],
  ['private-key-size', '8193', 'must be 2048 to 8192 for an RSA key'],
  ['private-key-size', 'big', 'must be a whole number'],
  ['private-key-rotation-policy', 'Sometimes', 'must be "Never" or "Always"'],
  ['secret-template', 'labels', 'must be a JSON object'],
  ['secret-template', 'null', 'must be a JSON object'],
  ['secret-template', '[]', 'must be a JSON object'],
  ['secret-template', '{"label":{}}', 'has "label": it may have "labels" and "annotations" alone'],
  ['secret-template', '{"labels":{"a":1}}', 'is refused: labels.a 1 must be text'],
  ['secret-template', '{"labels":{"a":"b c"}}', 'is no valid label value'],
  ['secret-template', '{"annotations":{"cert-manager.io/x":"y"}}', 'cert-manager.io/'],
  [
    'secret-template',
    '{"annotations":{"cert-manager.io/allow-direct-injection":"true"}}',
    'has the annotation "cert-manager.io/allow-direct-injection"',
  ],
  ['acme.cert-manager.io/http01-ingress-ingressclassname', 'Not A Class', 'must be a DNS name'],
  ['postern.dev/fallback-issuers', 'second,', 'has an empty entry'],
  ['postern.dev/fallback-issuers', 'Vault/x', 'has "Vault/x": the kind must be Issuer or ClusterIssuer'],
  ['postern.dev/delete-secret', 'yes', 'must be "true" or "false"'],
  ['postern.dev/revoke-on-delete', '', 'must be "true" or "false"'],
];

describe('an annotation that is wrong', () => {
  it.each(bad)('%s: %j', (key, value, sentence) => {
    const shown = JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
    const { problems } = read({ [full(key)]: value });
    expect(problems).toEqual([expect.stringContaining(sentence)]);
    expect(problems[0]?.startsWith(`${full(key)} ${shown} `)).toBe(true);
  });

  it('is tried for each row that can be wrong', () => {
    const tried = new Set(bad.map(([key]) => full(key)));
    expect(certificateAnnotations.map(({ key }) => key).filter(key => !tried.has(key))).toEqual([
      'acme.cert-manager.io/http01-edit-in-place',
      'acme.cert-manager.io/http01-ingress-class',
    ]);
  });

  it.each([
    [
      { 'renew-before': '24h', duration: '24h' },
      'renew-before "24h" must be shorter than the lifetime (24h0m0s)',
    ],
    [
      { 'renew-before': '24h', 'renew-before-percentage': '5' },
      'must not stand together with cert-manager.io/renew-before',
    ],
    [{ 'renew-before-percentage': '1', duration: '1h' }, 'must leave 5m or more of the lifetime'],
    [
      { 'private-key-algorithm': 'ECDSA', 'private-key-size': '2048' },
      'must be 256, 384 or 521 for an ECDSA key',
    ],
  ])('by what stands beside it: %j', (annotations, sentence) => {
    const given = Object.fromEntries(Object.entries(annotations).map(([key, value]) => [full(key), value]));
    expect(read(given).problems).toEqual([expect.stringContaining(sentence)]);
  });

  it('is told of once, where another one is the cause', () => {
    const { problems } = read({
      'cert-manager.io/private-key-algorithm': 'DSA',
      'cert-manager.io/private-key-size': '1024',
      'cert-manager.io/duration': 'long',
      'cert-manager.io/renew-before': '9000h',
    });
    expect(problems.map(problem => problem.split(' ', 1)[0])).toEqual([
      'cert-manager.io/duration',
      'cert-manager.io/private-key-algorithm',
    ]);
  });
});

it('what is read gives a Certificate that can be issued, or is told of', () => {
  const words = [...good, ...bad].map(([, value]) => value);
  const value = fc.oneof(fc.constantFrom(...words), fc.string());
  const keys = fc.constantFrom(...certificateAnnotations.map(({ key }) => key));
  const issuer = { name: 'ca', kind: 'Issuer', group: 'cert-manager.io' };
  const entry = { hosts: ['a.example.com'], secretName: 'a-tls' };
  fc.assert(
    fc.property(fc.dictionary(keys, value), annotations => {
      const ingress = anIngress(annotations);
      const found = readAnnotations(ingress, []);
      if (found.problems.length > 0) return;
      expect(certificateProblems(certificateFor(ingress, entry, issuer, found))).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});

it('names beside the hosts come after them, without repeats', () => {
  const ingress = anIngress({
    'cert-manager.io/alt-names': 'b.example.com,A.example.com',
    'cert-manager.io/ip-sans': '2001:DB8:0::1,192.0.2.2',
  });
  const entry = { hosts: ['a.example.com', '2001:db8::1'], secretName: 'a-tls' };
  const issuer = { name: 'ca', kind: 'Issuer', group: 'cert-manager.io' };
  expect(certificateFor(ingress, entry, issuer, readAnnotations(ingress, [])).spec).toMatchObject({
    dnsNames: ['a.example.com', 'b.example.com'],
    ipAddresses: ['2001:db8::1', '192.0.2.2'],
  });
});

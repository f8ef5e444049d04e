import { describe, expect, it } from 'vitest';
import type { CertificateSpec } from './certificate.ts';
import { certificateProblems } from './certificate-validation.ts';

const good: CertificateSpec = {
  secretName: 'shop-tls',
  issuerRef: { name: 'ca' },
  dnsNames: ['shop.example'],
};
const problemsOf = (spec: object): string[] =>
  certificateProblems({ spec: { ...good, ...spec } }).map(problem => problem.message);

describe('a Certificate that can be issued', () => {
  it.each<[string, object]>([
    ['names one host', {}],
    ['has a common name alone', { dnsNames: undefined, commonName: 'shop.example' }],
    ['has a literal subject with a common name', { dnsNames: undefined, literalSubject: 'O=Acme, CN=shop' }],
    [
      'names wildcards, underscores, upper case and IDNs',
      { dnsNames: ['*.A.example', '_srv.b', 'müller.example'] },
    ],
    ['names addresses', { ipAddresses: ['192.0.2.1', '2001:db8::1'] }],
    ['names URIs', { uris: ['spiffe://cluster.local/ns/a/sa/b', 'urn:a:b'] }],
    ['names people', { emailAddresses: ['ops+tls@example.com'] }],
    ['asks for the shortest duration', { duration: '1h', renewBefore: '5m' }],
    ['asks for the shortest percentage that leaves 5m', { duration: '100m', renewBeforePercentage: 5 }],
    [
      'has an ECDSA key and signature',
      { privateKey: { algorithm: 'ECDSA', size: 521 }, signatureAlgorithm: 'ECDSAWithSHA512' },
    ],
    [
      'has an Ed25519 key whose size does not count',
      { privateKey: { algorithm: 'Ed25519', size: 1 }, signatureAlgorithm: 'PureEd25519' },
    ],
    ['has no key size, written as 0', { privateKey: { size: 0 } }],
    [
      'is signed by another group',
      { issuerRef: { name: 'a', kind: 'AWSPCAIssuer', group: 'awspca.cert-manager.io' } },
    ],
    [
      'has an empty subject beside its literal one',
      { literalSubject: 'CN=a', subject: { organizations: [] } },
    ],
    [
      'lets its Secret be injected',
      { secretTemplate: { annotations: { 'cert-manager.io/allow-direct-injection': 'true' } } },
    ],
  ])('%s', (_name, spec) => {
    expect(problemsOf(spec)).toEqual([]);
  });
});

describe('a Certificate that cannot be issued says why', () => {
  it.each<[object, string]>([
    [{ secretName: undefined }, 'spec.secretName is missing: set it to text'],
    [{ issuerRef: { name: '' } }, 'spec.issuerRef.name "" is empty: give it a value'],
    [
      { secretName: 'Shop_TLS' },
      'spec.secretName "Shop_TLS" must be a DNS name of lower-case letters, digits, "-" and ".", 253 characters at most, such as "my-name"',
    ],
    [
      { secretName: 'a'.repeat(254) },
      `spec.secretName "${'a'.repeat(79)}..." must have a length of 253 at most`,
    ],
    [{ issuerRef: { name: '' } }, 'spec.issuerRef.name "" is empty: give it a value'],
    [{ issuerRef: undefined }, 'spec.issuerRef is missing: set it to a map of fields'],
    [
      { issuerRef: { name: 'a', kind: 'AWSPCAIssuer' } },
      'spec.issuerRef.kind "AWSPCAIssuer" must be Issuer or ClusterIssuer: for an issuer of another kind, set group to its API group',
    ],
    [
      { dnsNames: [] },
      'spec names nothing: set commonName, dnsNames, ipAddresses, uris, emailAddresses, otherNames or a literalSubject with CN',
    ],
    [
      { dnsNames: undefined, literalSubject: 'O=Acme' },
      'spec names nothing: set commonName, dnsNames, ipAddresses, uris, emailAddresses, otherNames or a literalSubject with CN',
    ],
    [{ commonName: 'a'.repeat(65) }, `spec.commonName "${'a'.repeat(65)}" must have a length of 64 at most`],
    [
      { commonName: 'a\r\nX-Evil: 1' },
      'spec.commonName "a\\r\\nX-Evil: 1" must hold no control characters, line breaks among them',
    ],
    [
      { subject: { organizations: ['a\u0000'] } },
      'spec.subject.organizations[0] "a\\u0000" must hold no control characters, line breaks among them',
    ],
    [
      { dnsNames: ['shop.example', 'a b'] },
      'spec.dnsNames[1] "a b" must be a DNS name such as "www.example.com" or "*.example.com"',
    ],
    [
      { dnsNames: ['192.0.2.1'] },
      'spec.dnsNames[0] "192.0.2.1" must be a DNS name such as "www.example.com" or "*.example.com"',
    ],
    [{ dnsNames: [1] }, 'spec.dnsNames[0] 1 must be text: put quotes around it'],
    [
      { ipAddresses: ['192.0.2.256'] },
      'spec.ipAddresses[0] "192.0.2.256" must be an IP address such as "192.0.2.1" or "2001:db8::1"',
    ],
    [
      { uris: ['no uri'] },
      'spec.uris[0] "no uri" must be an absolute URI such as "spiffe://cluster.local/ns/default"',
    ],
    [
      { emailAddresses: ['Ops <ops@example.com>'] },
      'spec.emailAddresses[0] "Ops <ops@example.com>" must be an email address alone, such as "ops@example.com"',
    ],
    [
      { otherNames: [{ oid: '1.x', utf8Value: 'a' }] },
      'spec.otherNames[0].oid "1.x" must be an object identifier such as "1.3.6.1.4.1.311.20.2.3"',
    ],
    [
      { literalSubject: 'CN=a', commonName: 'a' },
      'spec.literalSubject "CN=a" must not stand together with commonName: put CN into literalSubject and leave commonName out',
    ],
    [
      { literalSubject: 'CN=a', subject: { countries: ['DE'] } },
      'spec.literalSubject "CN=a" must not stand together with subject: leave one of the two out',
    ],
    [{ duration: '59m' }, 'spec.duration "59m" must be 1h or more'],
    [{ duration: '90d' }, 'spec.duration "90d" must be a length of time such as "2160h" or "1h30m"'],
    [{ renewBefore: '4m59s' }, 'spec.renewBefore "4m59s" must be 5m or more'],
    [
      { renewBefore: '2160h' },
      'spec.renewBefore "2160h" must be shorter than duration (2160h where absent): shorten it, or lengthen duration',
    ],
    [
      { renewBefore: '10h', renewBeforePercentage: 10 },
      'spec.renewBefore "10h" must not stand together with renewBeforePercentage: leave one of the two out',
    ],
    [{ renewBeforePercentage: 100 }, 'spec.renewBeforePercentage 100 must be 99 at most'],
    [
      { duration: '1h', renewBeforePercentage: 8 },
      'spec.renewBeforePercentage 8 must leave 5m or more of duration for the renewal: raise it, or lengthen duration',
    ],
    [
      { privateKey: { size: 1024 } },
      'spec.privateKey.size 1024 must fit algorithm (RSA where absent): 2048 to 8192 for RSA; 256, 384 or 521 for ECDSA',
    ],
    [
      { privateKey: { algorithm: 'DSA' } },
      'spec.privateKey.algorithm "DSA" must be one of "RSA", "ECDSA", "Ed25519"',
    ],
    [
      { signatureAlgorithm: 'PureEd25519' },
      'spec.signatureAlgorithm "PureEd25519" must fit privateKey.algorithm (RSA where absent): SHA256WithRSA, SHA384WithRSA or SHA512WithRSA for RSA, ECDSAWithSHA256, ECDSAWithSHA384 or ECDSAWithSHA512 for ECDSA, PureEd25519 for Ed25519',
    ],
    [
      { keystores: { jks: { create: true } } },
      'spec.keystores.jks needs exactly one password: set passwordSecretRef or password',
    ],
    [
      { additionalOutputFormats: [{ type: 'DER' }, { type: 'DER' }] },
      'spec.additionalOutputFormats must name each type once: leave the repeated one out',
    ],
    [
      { nameConstraints: { permitted: {} } },
      'spec.nameConstraints is for certificates that sign others: set isCA to true, or leave nameConstraints out',
    ],
    [
      { isCA: true, nameConstraints: { critical: true } },
      'spec.nameConstraints constrains nothing: set permitted or excluded',
    ],
    [
      { secretTemplate: { annotations: { 'cert-manager.io/alt-names': 'a' } } },
      'spec.secretTemplate.annotations must not have keys that begin with cert-manager.io/: leave them out, they are set by themselves',
    ],
    [
      { secretTemplate: { labels: { 'a b': 'c' } } },
      'spec.secretTemplate.labels["a b"] "c" is no valid key: use letters, digits, "-", "_" and ".", perhaps after a DNS name and "/"',
    ],
    [
      { secretTemplate: { labels: { a: 'b c' } } },
      'spec.secretTemplate.labels.a "b c" is no valid label value: use letters, digits, "-", "_" and ".", 63 characters at most',
    ],
    [{ revisionHistoryLimit: 0 }, 'spec.revisionHistoryLimit 0 must be 1 or more'],
    [
      { usages: ['sign'] },
      expect.stringContaining(
        'spec.usages[0] "sign" must be one of "signing", "digital signature"',
      ) as string,
    ],
  ])('%j', (spec, message) => {
    expect(problemsOf(spec)).toEqual([message]);
  });

  it('names everything that is wrong at once', () => {
    expect(
      certificateProblems({ spec: { ...good, duration: '1m', commonName: 'a'.repeat(65) } }).map(
        p => p.field,
      ),
    ).toEqual(['spec.commonName', 'spec.duration']);
  });

  it('never repeats a password', () => {
    const spec = { ...good, keystores: { jks: { create: true, password: 4711 as unknown as string } } };
    expect(certificateProblems({ spec })).toEqual([
      {
        field: 'spec.keystores.jks.password',
        value: undefined,
        message: 'spec.keystores.jks.password must be text: put quotes around it',
      },
    ]);
  });
});

/*
 * Objects that users may write, and that no API server should have to save Postern from: those of Kubernetes before 1.25
 * run no CEL, and let most of them through.
 */

/** What is wrong; the fields of the spec that are so; what is said of it. */
export type BadSpec = readonly [what: string, spec: Readonly<Record<string, unknown>>, said: RegExp];

const long = (length: number) => 'a'.repeat(length);

/** In the spec of a Certificate that is well but for these, by any issuer. */
export const badCertificates: readonly BadSpec[] = [
  ['no name at all', { dnsNames: undefined }, /name/],
  ['an empty list of names', { dnsNames: [] }, /name/],
  ['five minutes', { duration: '5m' }, /duration/],
  ['a duration that is none', { duration: 'soon' }, /duration/],
  ['a duration before zero', { duration: '-2h' }, /duration/],
  ['renewal before the beginning', { duration: '2h', renewBefore: '3h' }, /renewBefore/],
  ['two times of renewal', { renewBefore: '30m', renewBeforePercentage: 30 }, /renewBefore/],
  ['a percentage of 200', { renewBeforePercentage: 200 }, /renewBeforePercentage/],
  ['an RSA key of 512 bits', { privateKey: { algorithm: 'RSA', size: 512 } }, /size/],
  ['an RSA key of a million bits', { privateKey: { algorithm: 'RSA', size: 1_000_000 } }, /size/],
  ['an ECDSA key of 2048 bits', { privateKey: { algorithm: 'ECDSA', size: 2048 } }, /size/],
  ['an algorithm of its own', { privateKey: { algorithm: 'ROT13' } }, /algorithm/],
  ['a common name of 65 characters', { commonName: long(65) }, /commonName/],
  ['a label of 64 characters', { dnsNames: [`${long(64)}.example.com`] }, /dnsNames/],
  ['a name of 300 characters', { dnsNames: [`${`${long(49)}.`.repeat(6)}com`] }, /dnsNames/],
  ['a command in dollars', { dnsNames: ['$(reboot).example.com'] }, /dnsNames/],
  ['a command in backticks', { dnsNames: ['`id`.example.com'] }, /dnsNames/],
  ['a second command', { dnsNames: ['a.example.com;reboot'] }, /dnsNames/],
  ['a header in a name', { dnsNames: ['a.example.com\r\nX-Evil: 1'] }, /dnsNames/],
  ['a header in the common name', { commonName: 'a\r\nX-Evil: 1' }, /commonName/],
  ['a NUL', { dnsNames: ['a\u0000.example.com'] }, /dnsNames/],
  ['a path', { dnsNames: ['../../etc/passwd'] }, /dnsNames/],
  ['a URL', { dnsNames: ['http://a.example.com/'] }, /dnsNames/],
  ['two stars', { dnsNames: ['*.*.example.com'] }, /dnsNames/],
  ['a star in the middle', { dnsNames: ['a.*.example.com'] }, /dnsNames/],
  ['an empty name', { dnsNames: [''] }, /dnsNames/],
  ['no IP address', { ipAddresses: ['999.1.1.1'] }, /ipAddresses/],
  ['no URI', { uris: ['not a uri'] }, /uris/],
  ['no email address', { emailAddresses: ['nobody'] }, /emailAddresses/],
  ['no name of a Secret', { secretName: 'Upper_Case' }, /secretName/],
  ['a path for a Secret', { secretName: '../../kube-system/admin' }, /secretName/],
  ['an issuer without a name', { issuerRef: { name: '' } }, /issuerRef/],
  ['an issuer of a kind that is none', { issuerRef: { name: 'ca', kind: 'Banana' } }, /issuerRef|Banana/],
  [
    'annotations of ours in the template',
    { secretTemplate: { annotations: { 'cert-manager.io/certificate-name': 'other' } } },
    /secretTemplate/,
  ],
  ['a label that is none', { secretTemplate: { labels: { 'a b': '!' } } }, /secretTemplate/],
  ['two subjects', { literalSubject: 'CN=a', commonName: 'b' }, /literalSubject|commonName/],
  ['a subject that is none', { literalSubject: '=,=' }, /literalSubject/],
  ['a keystore without a password', { keystores: { pkcs12: { create: true } } }, /password/],
  ['a history of no revisions', { revisionHistoryLimit: 0 }, /revisionHistoryLimit/],
  ['a usage that is none', { usages: ['flying'] }, /usages/],
  ['an object identifier that is none', { otherNames: [{ oid: 'banana', utf8Value: 'a' }] }, /otherNames/],
  ['a line break in the subject', { subject: { organizations: ['a\nb'] } }, /organizations/],
];

/** The same, of Certificates that an ACME issuer is to sign. */
export const badForAcme: readonly BadSpec[] = [
  ['a wildcard', { dnsNames: ['*.example.com'] }, /wildcard|dns-01|DNS01/i],
  ['a URI', { uris: ['spiffe://a/b'] }, /spiffe/],
  ['a common name that is no DNS name', { commonName: 'other.example.com' }, /common name/i],
  ['an authority', { isCA: true }, /isCA|authorit/],
  [
    'a name that the CA does not certify',
    { dnsNames: ['blocked.example.net'] },
    /rejectedIdentifier|policy/i,
  ],
];

/** Whole specs of Issuers. */
export const badIssuers: readonly BadSpec[] = [
  ['of no type', {}, /exactly one|acme/],
  ['of two types', { selfSigned: {}, ca: { secretName: 'ca-pair' } }, /exactly one/],
  ['of a type that is not here', { vault: { server: 'https://vault', path: 'p' } }, /vault/],
  ['with a server that is no URL', { acme: acmeWith({ server: 'not a url' }) }, /server/],
  ['with a file for a server', { acme: acmeWith({ server: 'file:///etc/passwd' }) }, /server/],
  ['without solvers', { acme: acmeWith({ solvers: [] }) }, /solvers/],
  ['with DNS01 alone', { acme: acmeWith({ solvers: [{ dns01: { webhook: {} } }] }) }, /dns01/],
  ['with two classes', { acme: acmeWith({ solvers: [twoClasses()] }) }, /class/],
  ['with a CA bundle that is none', { acme: acmeWith({ caBundle: base64('rubbish') }) }, /caBundle/],
  [
    'with an account Secret of rubbish',
    { acme: acmeWith({ privateKeySecretRef: { name: 'rubbish' } }) },
    /rubbish/,
  ],
  [
    'with an external account that is not there',
    { acme: acmeWith({ externalAccountBinding: binding() }) },
    /absent/,
  ],
  ['with a CA Secret that is not there', { ca: { secretName: 'absent' } }, /absent/],
  ['with a CA Secret of rubbish', { ca: { secretName: 'rubbish' } }, /rubbish/],
  ['with a CA that is none', { ca: { secretName: 'leaf' } }, /leaf|authority|CA/],
];

function acmeWith(more: object): object {
  return {
    server: 'https://127.0.0.1:1/dir',
    privateKeySecretRef: { name: 'unused-account' },
    solvers: [{ http01: { ingress: {} } }],
    ...more,
  };
}

function twoClasses(): object {
  return { http01: { ingress: { class: 'a', ingressClassName: 'b' } } };
}

function binding(): object {
  return { keyID: 'kid', keySecretRef: { name: 'absent', key: 'secret' } };
}

/** Text as Secrets and byte fields have it. */
export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

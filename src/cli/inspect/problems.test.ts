import { beforeAll, describe, expect, it } from 'vitest';
import type { Certificate } from '../../api/cert-manager/certificate.ts';
import type { Ingress } from '../../api/kubernetes/ingress.ts';
import type { Secret } from '../../api/kubernetes/secret.ts';
import { anAuthority, aCertificate as signed, type TestCertificate } from '../../pki/pki.testing.ts';
import { encodePrivateKey } from '../../pki/private-key.ts';
import { aTlsSecret } from '../cli-objects.testing.ts';
import { aCertificate, anIngress, condition } from '../status/objects.testing.ts';
import { inspectedSecret } from './inspected-secret.ts';
import { problemsOf } from './problems.ts';

const now = Date.UTC(2026, 0, 1);
const day = 86_400_000;
const validity = { notBeforeMs: now - day, notAfterMs: now + 89 * day };
const ready = condition('Ready', 'True', 'Ready');

type Chain = Record<
  'root' | 'intermediate' | 'site' | 'client' | 'nameless' | 'selfSigned' | 'stale',
  TestCertificate
>;
let made: Chain;

beforeAll(async () => {
  const long = { notBeforeMs: now - 9 * day, notAfterMs: now + 900 * day };
  const root = await anAuthority({ ...long, commonName: 'Root' });
  const intermediate = await signed({
    issuer: root,
    ...long,
    isCA: true,
    dnsNames: [],
    commonName: 'Middle',
  });
  const dnsNames = ['shop.test'];
  const of = (more: Partial<Parameters<typeof signed>[0]>) =>
    signed({ issuer: intermediate, ...validity, dnsNames, commonName: 'site', ...more });
  const stale = await signed({
    issuer: root,
    notBeforeMs: now - 9 * day,
    notAfterMs: now - day,
    isCA: true,
    dnsNames: [],
    commonName: 'Middle',
  });
  made = {
    root,
    intermediate,
    stale,
    site: await of({}),
    client: await of({ usages: ['digital signature', 'client auth'] }),
    nameless: await of({ dnsNames: [] }),
    selfSigned: await anAuthority({ ...validity, isCA: false, dnsNames, commonName: 'shop.test' }),
  };
});

interface Given {
  readonly secret: (made: Chain) => Secret;
  readonly certificate?: Certificate;
  readonly ingress?: Ingress;
  readonly publicRoots?: (made: Chain) => string[];
  readonly nowMs?: number;
}

const whole = ({ site, intermediate, root }: Chain, more: Parameters<typeof aTlsSecret>[3] = {}): Secret =>
  aTlsSecret('shop', 'shop-tls', site, {
    chain: site.certificate + intermediate.certificate,
    ca: root.certificate,
    ...more,
  });

function problems({ secret, certificate, ingress, publicRoots, nowMs = now }: Given): string[] {
  const inspected = inspectedSecret(secret(made), {
    certificates: certificate === undefined ? [] : [certificate],
    ingresses: ingress === undefined ? [] : [ingress],
    publicRoots: publicRoots?.(made) ?? [],
  });
  return problemsOf(inspected, nowMs).map(({ severity, message }) => `${severity}: ${message}`);
}

describe('the problems of a Secret', () => {
  it.each<[string, Given]>([
    ['verified by its ca.crt', { secret: made => whole(made) }],
    [
      'verified by a public authority',
      {
        secret: made => {
          const { data: { 'ca.crt': _ca, ...data } = {}, ...rest } = whole(made);
          return { ...rest, data };
        },
        publicRoots: made => [made.root.certificate],
      },
    ],
    [
      'kept by a Certificate',
      { secret: made => whole(made), certificate: aCertificate({ conditions: [ready] }) },
    ],
    ['served for its host', { secret: made => whole(made), ingress: anIngress() }],
    [
      'self-signed, and meant to be',
      {
        secret: made => aTlsSecret('shop', 'shop-tls', made.selfSigned),
        certificate: aCertificate({ conditions: [ready] }),
      },
    ],
    ['of an authority', { secret: made => aTlsSecret('shop', 'shop-tls', made.root) }],
  ])('are none where it is %s', (_, given) => {
    expect(problems(given)).toEqual([]);
  });

  it.each<[string, Given, string[]]>([
    [
      'with nothing in it',
      { secret: () => ({ metadata: { namespace: 'shop', name: 'shop-tls' } }) },
      [
        'error: There is no tls.crt: nothing can be served with this.',
        'error: There is no tls.key: the certificate cannot be served without its private key.',
      ],
    ],
    [
      'with rubbish in it',
      { secret: made => whole(made, { chain: 'x', key: 'y', ca: 'z' }) },
      [
        'error: tls.crt cannot be read: there is no certificate in PEM form.',
        'error: tls.key cannot be read: there is no private key in PEM form.',
        'warning: ca.crt cannot be read: there is no certificate in PEM form.',
      ],
    ],
    [
      'with the key of another',
      { secret: made => whole(made, { key: encodePrivateKey(made.client.key) }) },
      [
        'error: tls.key is not the private key of the certificate: every handshake fails; put a good one into the Secret.',
      ],
    ],
    [
      'that has expired',
      {
        secret: made => whole(made),
        certificate: aCertificate({ conditions: [ready] }),
        nowMs: now + 100 * day,
      },
      [
        'error: The certificate expired at 2026-03-31 00:00 UTC; renew Certificate "shop-tls", by postern renew.',
      ],
    ],
    [
      'of the future',
      { secret: made => whole(made), nowMs: now - 2 * day },
      [
        'error: The certificate is valid from 2025-12-31 00:00 UTC on; see that the clocks are right here and where it was issued.',
      ],
    ],
    [
      'with an intermediate that has expired',
      { secret: made => whole(made, { chain: made.site.certificate + made.stale.certificate }) },
      [
        'error: Certificate 2 of the chain, "CN=Middle", expired at 2025-12-31 00:00 UTC; put a good one into the Secret.',
        expect.stringContaining('error: The chain is broken'),
        expect.stringContaining('warning: The chain does not lead to ca.crt'),
      ],
    ],
    [
      'with its chain in the wrong order',
      {
        secret: made =>
          whole(made, {
            chain: made.site.certificate + made.root.certificate + made.intermediate.certificate,
          }),
      },
      [
        'error: The chain is broken: certificate 2, "CN=Root", did not issue the one before it, "CN=site"; put each certificate before its issuer, and leave out what does not belong to them.',
        'error: The chain is broken: certificate 3, "CN=Middle", did not issue the one before it, "CN=Root"; put each certificate before its issuer, and leave out what does not belong to them.',
        'warning: The chain holds the root "CN=Root": clients have it or do not trust it, so leave it out.',
      ],
    ],
    [
      'without the intermediate',
      { secret: made => aTlsSecret('shop', 'shop-tls', made.site) },
      [
        'warning: The chain ends below "CN=Middle", which is no public authority, and there is no ca.crt: a certificate between them is missing, or only clients that know that authority take it.',
      ],
    ],
    [
      'with the ca.crt of another',
      { secret: made => whole(made, { ca: made.selfSigned.certificate }) },
      ['warning: The chain does not lead to ca.crt: who verifies with that refuses the certificate.'],
    ],
    [
      'that serves a host it is not for',
      {
        secret: made => whole(made),
        ingress: anIngress({}, { tls: [{ hosts: ['shop.test', 'www.test'], secretName: 'shop-tls' }] }),
      },
      [
        'error: Ingress "front" serves www.test with this Secret, and the certificate is not for that name: browsers refuse it.',
      ],
    ],
    [
      'that stands in',
      {
        secret: made => aTlsSecret('shop', 'shop-tls', made.selfSigned),
        certificate: aCertificate({ conditions: [condition('Ready', 'False', 'DoesNotExist')] }),
      },
      [
        'warning: The certificate is self-signed and stands in until the one is there that Certificate "shop-tls" asks for; see postern status certificate.',
      ],
    ],
    [
      'whose renewal is late',
      {
        secret: made => whole(made),
        certificate: aCertificate({ conditions: [ready], renewalTime: '2025-12-31T12:00:00Z' }),
      },
      [
        'warning: The certificate was due for renewal at 2025-12-31 12:00 UTC, and it expires at 2026-03-31 00:00 UTC; see that Postern runs, with the controllers.',
      ],
    ],
    [
      'that ends soon, and nobody renews',
      { secret: made => whole(made), nowMs: now + 84 * day },
      ['warning: The certificate expires at 2026-03-31 00:00 UTC, and no Certificate here renews it.'],
    ],
    [
      'without names',
      {
        secret: made => aTlsSecret('shop', 'shop-tls', made.nameless, { ca: made.intermediate.certificate }),
      },
      [
        'warning: The certificate has no subject alternative names: clients do not look at the common name any more (RFC 9525).',
      ],
    ],
    [
      'that serves, and is for clients and of another type',
      {
        secret: made =>
          aTlsSecret('shop', 'shop-tls', made.client, { ca: made.intermediate.certificate, type: 'Opaque' }),
        ingress: anIngress(),
      },
      [
        'warning: An Ingress serves with this Secret, and the certificate is for client auth only; add "server auth" to spec.usages of its Certificate.',
        'warning: An Ingress serves with this Secret, and its type is "Opaque", not kubernetes.io/tls: other Ingress controllers may not take it.',
      ],
    ],
    [
      'of a Certificate that is gone',
      { secret: made => whole(made, { annotations: { 'cert-manager.io/certificate-name': 'gone' } }) },
      [
        'warning: It was issued for Certificate "gone", which is not there or may not be read: nobody renews it.',
      ],
    ],
    [
      'that changed hands',
      {
        secret: made => whole(made, { annotations: { 'cert-manager.io/certificate-name': 'gone' } }),
        certificate: aCertificate({ conditions: [ready] }),
      },
      ['warning: It was issued for Certificate "gone", and Certificate "shop-tls" names it now.'],
    ],
  ])('are found in one %s', (_, given, expected) => {
    expect(problems(given)).toEqual(expected);
  });
});

import { describe, expect, it } from 'vitest';
import type { Certificate } from '../../api/cert-manager/certificate.ts';
import type { Chain } from './chain.ts';
import { explain } from './explain.ts';
import {
  aCertificate,
  aChallenge,
  anIngress,
  anIssuer,
  anOrder,
  aRequest,
  condition,
} from './objects.testing.ts';

const now = Date.UTC(2026, 0, 1);
const day = 86_400_000;
const usable = {
  name: 'shop-tls',
  state: 'usable',
  notBeforeMs: now - day,
  notAfterMs: now + 90 * day,
  isSelfSigned: false,
  dnsNames: ['shop.test'],
  ipAddresses: [],
} as const;
const missing = { name: 'shop-tls', state: 'missing' } as const;
const withIssuer = { 'cert-manager.io/cluster-issuer': 'le' };
const ref = { name: 'le', kind: 'ClusterIssuer', group: 'cert-manager.io' };
const isReady = { conditions: [condition('Ready', 'True', 'Ready')] };
const isIssuing = {
  conditions: [
    condition('Ready', 'False', 'DoesNotExist', 'There is no Secret "shop-tls" yet.'),
    condition('Issuing', 'True', 'DoesNotExist'),
  ],
};
const approved = condition('Approved', 'True', 'cert-manager.io');
const pending = condition('Ready', 'False', 'Pending', 'Waiting for the Order.');

/** An Ingress whose certificate is being issued, with everything in its place so far. */
function aChain(parts: Partial<Chain> = {}): Chain {
  return {
    namespace: 'shop',
    ingress: anIngress(withIssuer),
    tls: { hosts: ['shop.test'], secretName: 'shop-tls', index: 0 },
    certificate: aCertificate(isIssuing),
    issuer: { ref, found: anIssuer() },
    challenges: [],
    secret: missing,
    ...parts,
  };
}

/** A Certificate with one fallback issuer, after so many failures. */
function withFallback(failedIssuanceAttempts: number) {
  const certificate = aCertificate({
    ...isIssuing,
    lastFailureTime: '2026-01-01T00:00:00Z',
    failedIssuanceAttempts,
  });
  const annotations = { 'postern.dev/fallback-issuers': 'second' };
  return { ...certificate, metadata: { ...certificate.metadata, annotations } };
}

function ownedByOther(certificate: Certificate): Certificate {
  const owner = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'other', uid: 'other' };
  const ownerReferences = [{ ...owner, controller: true }];
  return { ...certificate, metadata: { ...certificate.metadata, ownerReferences } };
}

const acme = { request: aRequest([approved, pending]), order: anOrder({ state: 'pending' }) };
const bare = { certificate: undefined, issuer: undefined };

describe('what is ready', () => {
  it.each<[string, Chain, string]>([
    [
      'a Ready Certificate with a good Secret',
      aChain({ certificate: aCertificate(isReady), secret: usable }),
      'ready',
    ],
    [
      'a Certificate whose renewal fails, while its Secret is good',
      aChain({
        certificate: aCertificate({
          conditions: [condition('Ready', 'True', 'Ready'), condition('Issuing', 'False', 'Failed', 'x')],
          lastFailureTime: '2025-12-31T23:00:00Z',
        }),
        secret: usable,
      }),
      'ready',
    ],
    [
      'a Ready Certificate whose Secret may not be read',
      aChain({
        certificate: aCertificate(isReady),
        secret: { name: 'x', state: 'unreadable', why: 'forbidden' },
      }),
      'ready',
    ],
    [
      'an Ingress that brings its own Secret',
      aChain({ ...bare, ingress: anIngress(), secret: usable }),
      'ready',
    ],
    [
      'an Ingress without TLS that asks for none',
      aChain({ ...bare, ingress: anIngress({}, {}), tls: undefined, secret: undefined }),
      'plain',
    ],
    [
      'an Ingress with TLS without a Secret that asks for none',
      aChain({ ...bare, ingress: anIngress(), tls: { index: 0, hosts: ['shop.test'] }, secret: undefined }),
      'plain',
    ],
  ])('%s', (_, chain, state) => {
    expect(explain(chain, now)).toEqual({ state });
  });
});

describe('why something is not ready', () => {
  it.each<[string, Partial<Chain>, string]>([
    [
      'no default issuer',
      { ...bare, ingress: anIngress({ 'kubernetes.io/tls-acme': 'true' }) },
      'Ingress "front" asks for a certificate by kubernetes.io/tls-acme and there is no default issuer; start Postern with --default-issuer-name, or name one on the Ingress by cert-manager.io/cluster-issuer.',
    ],
    [
      'bad annotations',
      { ...bare, badConfig: 'both are set; keep one of them.' },
      'Ingress "front" is not understood: both are set; keep one of them.',
    ],
    [
      'a Certificate that may not be made',
      { ...bare, refusedWrite: 'Refused: a quota. See to it.' },
      'The Certificate for Ingress "front" cannot be made. Refused: a quota. See to it.',
    ],
    [
      'a Secret that may not be written',
      {
        certificate: aCertificate({
          conditions: [
            condition('Ready', 'False', 'DoesNotExist', 'There is no Secret. Refused: a quota.'),
            condition('Issuing', 'True', 'DoesNotExist', 'Refused: a quota. See to it.'),
          ],
        }),
      },
      'Certificate "shop-tls" cannot be issued. Refused: a quota. See to it.',
    ],
    [
      'no spec.tls',
      { ...bare, tls: undefined, secret: undefined },
      'Ingress "front" asks for a certificate and has no spec.tls; add an entry with its hosts and a secretName.',
    ],
    [
      'a TLS entry without secretName',
      { ...bare, tls: { index: 1, hosts: ['shop.test'] }, secret: undefined },
      'spec.tls[1] of Ingress "front" has no secretName; add it, no certificate can be made without.',
    ],
    [
      'a TLS entry without hosts',
      { ...bare, tls: { index: 0, secretName: 'shop-tls' } },
      'spec.tls[0] of Ingress "front" has no hosts; add it, no certificate can be made without.',
    ],
    [
      'nobody makes the Certificate',
      bare,
      'There is no Certificate for Secret "shop-tls" of Ingress "front" yet; see that Postern runs, with the controllers and for namespace "shop".',
    ],
    [
      'an invalid Certificate',
      {
        certificate: aCertificate({
          conditions: [condition('Ready', 'False', 'InvalidSpec', 'spec.duration: "1m" must be 1h or more.')],
        }),
      },
      'Certificate "shop-tls" is invalid: spec.duration: "1m" must be 1h or more; correct its spec.',
    ],
    [
      'another Certificate with the same Secret',
      {
        certificate: aCertificate({
          conditions: [
            condition('Ready', 'False', 'DuplicateSecretName', 'Certificate "old" owns Secret "shop-tls".'),
          ],
        }),
      },
      'Certificate "shop-tls" must wait: Certificate "old" owns Secret "shop-tls"; give it a secretName of its own, or delete the other.',
    ],
    [
      'a missing ClusterIssuer',
      { issuer: { ref, found: undefined } },
      'There is no ClusterIssuer "le"; create it, or name another one.',
    ],
    [
      'a missing Issuer',
      {
        issuer: { ref: { ...ref, kind: 'Issuer' }, found: undefined },
        request: aRequest([approved, pending]),
      },
      'There is no Issuer "le" in namespace "shop"; create it, or name another one.',
    ],
    [
      'an issuer that is not ready',
      {
        issuer: {
          ref,
          found: anIssuer([
            condition('Ready', 'False', 'ErrRegisterACMEAccount', 'The server answered 403.\n'),
          ]),
        },
      },
      'ClusterIssuer "le" is not ready: The server answered 403; correct it, the certificate follows by itself.',
    ],
    [
      'an issuer that nobody looks at',
      { issuer: { ref, found: anIssuer([]) } },
      'ClusterIssuer "le" has no status yet; see that Postern runs, with the controllers.',
    ],
    [
      'a denied request',
      { request: aRequest([condition('Denied', 'True', 'policy', 'No wildcards here.')]) },
      'CertificateRequest "shop-tls-1" was denied by an approver: No wildcards here; ask who sets the policy, or change the Certificate to fit it. Postern tries again, or at once when the Certificate changes.',
    ],
    [
      'an invalid request',
      { request: aRequest([approved, condition('InvalidRequest', 'True', 'x', 'The CSR has no names.')]) },
      'CertificateRequest "shop-tls-1" is invalid: The CSR has no names. Postern tries again, or at once when the Certificate changes.',
    ],
    [
      'a failed request',
      {
        certificate: aCertificate({
          ...isIssuing,
          lastFailureTime: '2026-01-01T00:00:00Z',
          failedIssuanceAttempts: 3,
        }),
        request: aRequest([approved, condition('Ready', 'False', 'Failed', 'The CA refused.')]),
      },
      'CertificateRequest "shop-tls-1" has failed: The CA refused. Postern tries again at 2026-01-01 04:00 UTC, or at once when the Certificate changes.',
    ],
    [
      'a failed order',
      {
        ...acme,
        certificate: aCertificate({
          ...isIssuing,
          lastFailureTime: '2026-01-01T00:00:00Z',
          failedIssuanceAttempts: 9,
        }),
        order: anOrder({ state: 'errored', reason: 'rejectedIdentifier: shop.test is forbidden.' }),
      },
      'Order "shop-tls-1-77" is errored: rejectedIdentifier: shop.test is forbidden. Postern tries again at 2026-01-02 08:00 UTC, or at once when the Certificate changes.',
    ],
    [
      'a failed challenge, rather than the order that failed by it',
      {
        ...acme,
        order: anOrder({ state: 'invalid', reason: 'an authorization failed' }),
        challenges: [
          aChallenge({ state: 'valid' }),
          aChallenge({ state: 'invalid', reason: 'connection refused.' }, 'www.shop.test'),
        ],
      },
      'The HTTP-01 challenge for www.shop.test is invalid: connection refused; see that www.shop.test resolves to where the Ingress is served, and that port 80 is open there. Postern tries again, or at once when the Certificate changes.',
    ],
    [
      'a self-check that does not pass',
      {
        ...acme,
        challenges: [
          aChallenge({ state: 'valid' }, 'a.test'),
          aChallenge({
            state: 'pending',
            processing: true,
            presented: true,
            reason: 'http://shop.test answered 404.',
          }),
        ],
      },
      'The HTTP-01 challenge for shop.test waits: http://shop.test answered 404; see that shop.test resolves to where the Ingress is served, and that port 80 is open there.',
    ],
    [
      'a name that does not resolve, with the fix that the self-check names and no other',
      {
        ...acme,
        challenges: [
          aChallenge({
            state: 'pending',
            processing: true,
            presented: true,
            reason: 'The self-check fails: shop.test does not resolve; make a DNS record for it.',
          }),
        ],
      },
      'The HTTP-01 challenge for shop.test waits: The self-check fails: shop.test does not resolve; make a DNS record for it.',
    ],
    [
      'a wrong answer from another host',
      {
        ...acme,
        challenges: [
          aChallenge({
            state: 'pending',
            processing: true,
            presented: true,
            reason:
              'The self-check fails: http://shop.test was answered by 192.0.2.7:80 with something else; check it.',
          }),
        ],
      },
      'The HTTP-01 challenge for shop.test waits: The self-check fails: http://shop.test was answered by 192.0.2.7:80 with something else; check it.',
    ],
    [
      'a rate limit, with its end',
      {
        ...acme,
        order: anOrder({ state: 'pending', reason: 'RateLimited until 2026-01-01T01:00:00Z: too many.' }),
      },
      'Order "shop-tls-1-77" is pending: RateLimited until 2026-01-01T01:00:00Z: too many; it goes on by itself.',
    ],
    [
      'a name that no solver matches',
      {
        ...acme,
        order: anOrder({
          state: 'errored',
          reason: "shop.test: none of the issuer's 2 solvers matches; add one.",
        }),
      },
      'Order "shop-tls-1-77" is errored: shop.test: none of the issuer\'s 2 solvers matches; add one. Postern tries again, or at once when the Certificate changes.',
    ],
    [
      'a failure of the first of two issuers',
      {
        certificate: withFallback(1),
        request: aRequest([approved, condition('Ready', 'False', 'Failed', 'The CA refused.')]),
      },
      'CertificateRequest "shop-tls-1" has failed: The CA refused. Postern tries the next of its issuers now.',
    ],
    [
      'a failure of both issuers',
      {
        certificate: withFallback(2),
        request: aRequest([approved, condition('Ready', 'False', 'Failed', 'The CA refused.')]),
      },
      'CertificateRequest "shop-tls-1" has failed: The CA refused. Postern tries again at 2026-01-01 01:00 UTC, or at once when the Certificate changes.',
    ],
    [
      'a challenge in the queue',
      { ...acme, challenges: [aChallenge({ state: 'pending' })] },
      'The HTTP-01 challenge for shop.test waits for its turn.',
    ],
    [
      'a challenge that is presented',
      { ...acme, challenges: [aChallenge({ state: 'pending', processing: true, presented: true })] },
      'The HTTP-01 challenge for shop.test is under way: the answer is presented.',
    ],
    ['an order under way', acme, 'Order "shop-tls-1-77" is pending; it goes on by itself.'],
    [
      'a request that nobody approves',
      { request: aRequest() },
      'CertificateRequest "shop-tls-1" is not approved yet; see that an approver runs for ClusterIssuer "le".',
    ],
    [
      'a request that another controller has to sign',
      {
        issuer: { ref: { name: 'pca', kind: 'AwsIssuer', group: 'aws.test' }, found: undefined },
        request: aRequest([approved]),
      },
      'CertificateRequest "shop-tls-1" waits for the controller of AwsIssuer.aws.test to sign it; see that it runs, and that AwsIssuer "pca" is ready.',
    ],
    [
      'a request under way',
      { request: aRequest([approved, pending]) },
      'CertificateRequest "shop-tls-1" waits for ClusterIssuer "le": Waiting for the Order.',
    ],
    [
      'the certificate of another Ingress',
      {
        certificate: ownedByOther(aCertificate(isReady)),
        secret: { ...usable, dnsNames: ['other.test'] },
      },
      'The certificate in Secret "shop-tls" is not for shop.test: Certificate "shop-tls" is of Ingress "other"; name another Secret, or add them there.',
    ],
    [
      "a certificate of one's own for other names",
      { ...bare, ingress: anIngress(), secret: { ...usable, dnsNames: ['*.other.test'] } },
      'The certificate in Secret "shop-tls" is not for shop.test; replace it, or let Postern obtain one: name another Secret, and annotate the Ingress with cert-manager.io/cluster-issuer.',
    ],
    [
      'a failure that left nothing behind',
      {
        certificate: aCertificate({
          conditions: [
            condition('Ready', 'False', 'DoesNotExist'),
            condition('Issuing', 'False', 'Failed', 'It failed.'),
          ],
          lastFailureTime: '2025-12-31T23:30:00Z',
          failedIssuanceAttempts: 1,
        }),
      },
      'The last try to issue Certificate "shop-tls" has failed: It failed. Postern tries again at 2026-01-01 00:30 UTC, or at once when the Certificate changes.',
    ],
    [
      'a Secret that was deleted',
      { certificate: aCertificate(isReady) },
      'Secret "shop-tls" does not exist; Postern issues it again; if it does not, see that it runs, with the controllers.',
    ],
    [
      'a Secret that is missing, of an Ingress that asks for nothing',
      { ...bare, ingress: anIngress() },
      'Secret "shop-tls" does not exist; create it in namespace "shop", or let Postern obtain it: annotate the Ingress with cert-manager.io/cluster-issuer.',
    ],
    [
      'a Secret that does not parse',
      {
        certificate: aCertificate(isReady),
        secret: {
          name: 'shop-tls',
          state: 'damaged',
          problem: 'has a tls.crt that is no certificate in PEM',
        },
      },
      'Secret "shop-tls" has a tls.crt that is no certificate in PEM; Postern issues it again; if it does not, see that it runs, with the controllers.',
    ],
    [
      'a certificate that has expired',
      { certificate: aCertificate(isReady), secret: { ...usable, notAfterMs: now - day } },
      'The certificate in Secret "shop-tls" expired at 2025-12-31 00:00 UTC; Postern issues it again; if it does not, see that it runs, with the controllers.',
    ],
    [
      'a certificate of the future',
      { certificate: aCertificate(isReady), secret: { ...usable, notBeforeMs: now + day } },
      'The certificate in Secret "shop-tls" is valid from 2026-01-02 00:00 UTC on; see that the clock of this machine is right.',
    ],
    [
      'a Secret that may not be read',
      { ...bare, ingress: anIngress(), secret: { name: 'shop-tls', state: 'unreadable', why: 'forbidden' } },
      'Secret "shop-tls" cannot be read: forbidden; ask with an account that may.',
    ],
    [
      'a good Secret that does not fit the Certificate any more',
      {
        certificate: aCertificate({
          conditions: [condition('Ready', 'False', 'RequestChanged', 'dnsNames differ.')],
        }),
        secret: usable,
      },
      'Certificate "shop-tls" is not ready: dnsNames differ.',
    ],
    [
      'a Certificate that nobody looks at',
      { certificate: aCertificate(), secret: usable },
      'Postern has not said anything about Certificate "shop-tls" yet; see that it runs, with the controllers and for this namespace.',
    ],
  ])('%s', (_, parts, cause) => {
    expect(explain(aChain(parts), now)).toEqual({ state: 'not-ready', cause });
  });
});

import { beforeAll, describe, expect, it } from 'vitest';
import type { Certificate } from '../../api/cert-manager/certificate.ts';
import { rfc3339 } from '../../core/clock.ts';
import { parseCertificate } from '../../pki/certificate.ts';
import { issuanceViolation } from './checks.ts';
import {
  aCertificate,
  anIssued,
  aRequest,
  aSecret,
  aState,
  dayMs,
  type Issued,
  nowMs,
} from './state.testing.ts';
import type { CertificateState } from './state.ts';
import { temporarySerialNumber } from './temporary.ts';

let issued: Issued;
let other: Issued;
let temporary: Issued;

beforeAll(async () => {
  issued = await anIssued();
  other = await anIssued({ dnsNames: ['other.example.com'] });
  temporary = await anIssued({ serialNumber: temporarySerialNumber });
});

const encoded = (text: string): string => Buffer.from(text).toString('base64');
const withData = (data: Record<string, string>): CertificateState => {
  const secret = aSecret(issued);
  return aState({ secret: { ...secret, data: { ...secret.data, ...data } } });
};
const withAnnotation = (name: string, value: string): CertificateState => {
  const secret = aSecret(issued);
  const annotations = { ...secret.metadata.annotations, [name]: value };
  return aState({ secret: { ...secret, metadata: { ...secret.metadata, annotations } } });
};
const withSpec = (
  spec: Partial<Certificate['spec']>,
  known: Partial<CertificateState> = {},
): CertificateState => aState({ certificate: aCertificate(spec), secret: aSecret(issued), ...known });

describe('why a Certificate is issued', () => {
  it('not at all where the Secret holds what the spec asks for, with its request or without', () => {
    expect(issuanceViolation(aState({ secret: aSecret(issued) }), nowMs)).toBeUndefined();
    const state = aState({ secret: aSecret(issued), currentRequest: aRequest(issued.csr) });
    expect(issuanceViolation(state, nowMs)).toBeUndefined();
  });

  describe('where the status says that this spec and this certificate are Ready', () => {
    const found = (
      change: Partial<NonNullable<Certificate['status']>> & { observedGeneration?: number } = {},
    ): CertificateState => {
      const { observedGeneration = 2, ...status } = change;
      const certificate = aCertificate({ dnsNames: ['new.example.com'] });
      const request = aRequest(issued.csr);
      return aState({
        secret: aSecret(issued),
        currentRequest: {
          ...request,
          metadata: { ...request.metadata, annotations: { 'cert-manager.io/certificate-revision': '1' } },
        },
        certificate: {
          ...certificate,
          metadata: { ...certificate.metadata, generation: 2 },
          status: {
            revision: 1,
            notAfter: rfc3339(parseCertificate(issued.chain).notAfterMs),
            conditions: [
              { type: 'Ready', status: 'True', reason: 'Ready', lastTransitionTime: '', observedGeneration },
            ],
            ...status,
          },
        },
      });
    };

    it('the request is not compared again', () => {
      expect(issuanceViolation(found(), nowMs)).toBeUndefined();
    });

    it.each([
      ['an earlier spec', { observedGeneration: 1 }],
      ['another certificate', { notAfter: '2031-01-01T00:00:00Z' }],
      ['another request', { revision: 2 }],
      ['nothing', { conditions: [] }],
    ])('it is, where it says so of %s', (_what, change) => {
      expect(issuanceViolation(found(change), nowMs)?.reason).toBe('RequestChanged');
    });

    it('and the pair in the Secret is another one, that is seen', () => {
      const state = found({ notAfter: rfc3339(parseCertificate(other.chain).notAfterMs) });
      const swapped = { ...state, secret: aSecret(other), pair: aState({ secret: aSecret(other) }).pair };
      expect(issuanceViolation(swapped, nowMs)?.reason).toBe('SecretMismatch');
    });
  });

  it.each([
    ['DoesNotExist', () => aState(), 'Secret "site-tls" does not exist yet.'],
    ['MissingData', () => withData({ 'tls.key': '' }), 'Secret "site-tls" has no tls.key.'],
    ['MissingData', () => withData({ 'tls.key': '', 'tls.crt': '' }), 'has no tls.key and no tls.crt.'],
    [
      'InvalidKeyPair',
      () => withData({ 'tls.key': encoded('x') }),
      'holds no usable pair: there is no private key',
    ],
    [
      'InvalidKeyPair',
      () => withData({ 'tls.crt': encoded(other.chain) }),
      'does not belong to the certificate.',
    ],
    [
      'InvalidCertificate',
      () => withData({ 'tls.crt': encoded('x') }),
      'holds no usable pair: there is no certificate',
    ],
    [
      'DoesNotExist',
      () => aState({ secret: aSecret(temporary) }),
      'holds a temporary self-signed certificate.',
    ],
    ['IncorrectIssuer', () => withAnnotation('cert-manager.io/issuer-name', 'old'), 'issued by Issuer "old"'],
    [
      'IncorrectIssuer',
      () => withAnnotation('cert-manager.io/issuer-kind', 'ClusterIssuer'),
      'asks for Issuer "ca"',
    ],
    ['IncorrectIssuer', () => withAnnotation('cert-manager.io/issuer-name', ''), 'was not issued by Postern'],
    [
      'IncorrectCertificate',
      () => withAnnotation('cert-manager.io/certificate-name', 'b'),
      'for Certificate "b".',
    ],
    [
      'SecretMismatch',
      () => withSpec({ privateKey: { algorithm: 'RSA' } }),
      'is ECDSA, the spec asks for RSA.',
    ],
    [
      'SecretMismatch',
      () => aState({ secret: aSecret(issued), currentRequest: aRequest(other.csr) }),
      'is not the one of CertificateRequest "site-1".',
    ],
    [
      'InvalidCertificateRequest',
      () => aState({ secret: aSecret(issued), currentRequest: aRequest('x') }),
      'CertificateRequest "site-1" holds no valid CSR: expected one CERTIFICATE REQUEST in PEM form, found 0.',
    ],
    [
      'RequestChanged',
      () => withSpec({ dnsNames: ['new.example.com'] }, { currentRequest: aRequest(issued.csr) }),
      'changed since the certificate was issued: spec.dnsNames.',
    ],
    [
      'RequestChanged',
      () => withSpec({ duration: '24h' }, { currentRequest: aRequest(issued.csr) }),
      'changed since the certificate was issued: spec.duration.',
    ],
    ['RequestChanged', () => withSpec({ dnsNames: ['new.example.com'] }), 'spec.dnsNames.'],
  ] as const)('%s', (reason, state, message) => {
    const violation = issuanceViolation(state(), nowMs);
    expect(violation?.reason).toBe(reason);
    expect(violation?.message).toContain(message);
    expect(violation?.message).toMatch(/^[A-Z].*[^.]\.$/);
  });

  it('for the first reason where there are several', () => {
    const late = nowMs + 80 * dayMs;
    const annotated = { 'cert-manager.io/issuer-name': 'old', 'cert-manager.io/certificate-name': 'b' };
    const spec = { dnsNames: ['new.example.com'], privateKey: { algorithm: 'RSA' as const } };
    const secret = aSecret(issued);
    const withSecret = (
      data: Record<string, string>,
      annotations: Record<string, string>,
    ): CertificateState => {
      const metadata = {
        ...secret.metadata,
        annotations: { ...secret.metadata.annotations, ...annotations },
      };
      return aState({
        certificate: aCertificate(spec),
        secret: { ...secret, metadata, data: { ...secret.data, ...data } },
        currentRequest: aRequest('x'),
      });
    };
    const { 'cert-manager.io/issuer-name': _issuer, ...asIssued } = annotated;
    const states = [
      aState({ certificate: aCertificate(spec), currentRequest: aRequest('x') }),
      withSecret({ 'tls.key': '' }, annotated),
      withSecret({ 'tls.crt': encoded(other.chain) }, annotated),
      withSecret({ 'tls.crt': encoded('x') }, annotated),
      withSecret({}, annotated),
      withSecret({}, asIssued),
      withSecret({}, {}),
      withSpec({ dnsNames: spec.dnsNames }, { currentRequest: aRequest('x') }),
      withSpec({ dnsNames: spec.dnsNames }, { currentRequest: aRequest(issued.csr) }),
      aState({ secret }),
    ];
    expect(states.map(state => issuanceViolation(state, late)?.reason)).toEqual([
      'DoesNotExist',
      'MissingData',
      'InvalidKeyPair',
      'InvalidCertificate',
      'IncorrectIssuer',
      'IncorrectCertificate',
      'SecretMismatch',
      'InvalidCertificateRequest',
      'RequestChanged',
      'Renewing',
    ]);
  });

  it('Renewing, when the time has come', () => {
    const state = aState({ secret: aSecret(issued) });
    expect(issuanceViolation(state, nowMs + 30 * dayMs)).toBeUndefined();
    const violation = issuanceViolation(state, nowMs + 80 * dayMs);
    expect(violation?.reason).toBe('Renewing');
    expect(violation?.message).toMatch(/^The certificate was due for renewal at 2026-/);
  });
});

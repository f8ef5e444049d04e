import type { KeyObject } from 'node:crypto';
import type { Certificate, CertificateSpec, CertificateStatus } from '../../api/cert-manager/certificate.ts';
import type { CertificateRequest } from '../../api/cert-manager/certificate-request.ts';
import type { Secret } from '../../api/kubernetes/secret.ts';
import { createCsr } from '../../pki/csr.ts';
import { encodePrivateKey, generatePrivateKey, publicKeyOf } from '../../pki/private-key.ts';
import { selfSign, signCertificate } from '../../pki/sign.ts';
import { subjectName } from '../../pki/subject.ts';
import type { CertificateState } from './state.ts';
import { StoredPair } from './stored-pair.ts';

export const nowMs = Date.UTC(2026, 0, 1);
export const dayMs = 24 * 3_600_000;

const encoded = (text: string): string => Buffer.from(text).toString('base64');

/** A Certificate as the API server gave it back. */
export function aCertificate(spec: Partial<CertificateSpec> = {}, status?: CertificateStatus): Certificate {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: {
      name: 'site',
      namespace: 'shop',
      uid: 'certificate-uid',
      generation: 1,
      creationTimestamp: '2025-12-01T00:00:00Z',
    },
    spec: {
      secretName: 'site-tls',
      dnsNames: ['site.example.com'],
      privateKey: { algorithm: 'ECDSA' },
      issuerRef: { name: 'ca' },
      ...spec,
    },
    ...(status !== undefined && { status }),
  };
}

/** A key with what was signed for it. */
export interface Issued {
  readonly key: KeyObject;
  readonly chain: string;
  readonly csr: string;
}

/** A certificate for `site.example.com` (and what else is asked for) from yesterday, for 90 days. */
export async function anIssued(
  more: { dnsNames?: string[]; size?: number; serialNumber?: string; lifetimeMs?: number } = {},
): Promise<Issued> {
  const { dnsNames = ['site.example.com'], size, serialNumber, lifetimeMs = 90 * dayMs } = more;
  const authorityKey = await generatePrivateKey({ algorithm: 'ECDSA' });
  const validity = { notBeforeMs: nowMs - dayMs, notAfterMs: nowMs - dayMs + lifetimeMs };
  const subject = subjectName({ commonName: 'CA' });
  const authority = await selfSign({ ...validity, subject, isCA: true, key: authorityKey });
  const key = await generatePrivateKey({ algorithm: 'ECDSA', size });
  const chain = await signCertificate({
    ...validity,
    subject: subjectName({}),
    dnsNames,
    serialNumber,
    publicKey: publicKeyOf(key),
    issuer: { certificate: authority, key: authorityKey },
  });
  return { key, chain, csr: await createCsr({ dnsNames, key }) };
}

/** The Secret of Certificate `site` with this pair, written when Issuer `ca` had signed it. */
export function aSecret({ key, chain }: Pick<Issued, 'key' | 'chain'>, more: Partial<Secret> = {}): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: {
      name: 'site-tls',
      namespace: 'shop',
      annotations: {
        'cert-manager.io/certificate-name': 'site',
        'cert-manager.io/issuer-name': 'ca',
        'cert-manager.io/issuer-kind': 'Issuer',
        'cert-manager.io/issuer-group': 'cert-manager.io',
      },
    },
    data: { 'tls.key': encoded(encodePrivateKey(key)), 'tls.crt': encoded(chain) },
    ...more,
  };
}

/** The Secret that holds the next private key. */
export function aNextKey(key: KeyObject, name = 'site-next'): Secret {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: 'shop', uid: `${name}-uid` },
    data: { 'tls.key': encoded(encodePrivateKey(key, 'PKCS8')) },
  };
}

/** The request of a revision, made from the Certificate of `aCertificate()`. */
export function aRequest(
  csr: string,
  status: CertificateRequest['status'] = undefined,
  more: { revision?: number; attempt?: number; spec?: Partial<CertificateRequest['spec']> } = {},
): CertificateRequest {
  const { revision = 1, attempt = 1, spec } = more;
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'CertificateRequest',
    metadata: {
      name: `site-${revision}`,
      namespace: 'shop',
      uid: 'request-uid',
      creationTimestamp: '2025-12-31T23:00:00Z',
      annotations: { 'postern.dev/attempt': String(attempt) },
    },
    spec: { issuerRef: { name: 'ca' }, request: encoded(csr), ...spec },
    ...(status !== undefined && { status }),
  };
}

/** A state without anything but the Certificate; `secret` brings its pair along. */
export function aState(known: Partial<CertificateState> = {}): CertificateState {
  return {
    certificate: aCertificate(),
    secret: undefined,
    pair: known.secret && new StoredPair(known.secret),
    passwords: {},
    rival: undefined,
    isShared: false,
    issuerUses: [],
    nextKey: undefined,
    strayKeys: [],
    currentRequest: undefined,
    nextRequest: undefined,
    oldRequests: [],
    renewalAdvice: { kind: 'none' },
    ...known,
  };
}

import { onTestFinished } from 'vitest';
import type { CertificateRequest } from '../api/cert-manager/certificate-request.ts';
import type { Issuer } from '../api/cert-manager/issuer.ts';
import { type Secret, secrets } from '../api/kubernetes/secret.ts';
import type { KubeObject } from '../api/meta.ts';
import type { Resource } from '../api/resource.ts';
import { type ManualClock, manualClock } from '../core/clock.testing.ts';
import { silentLogger } from '../core/logger.ts';
import { createCaches } from '../kube/caches.ts';
import { anEmbeddedApi } from '../kube/embedded/store.testing.ts';
import type { KubeApi } from '../kube/port.ts';
import { type CsrSpec, createCsr, parseCsr } from '../pki/csr.ts';
import { encodePrivateKey, generatePrivateKey } from '../pki/private-key.ts';
import { selfSign } from '../pki/sign.ts';
import { subjectName } from '../pki/subject.ts';
import type { IssuerContext } from './context.ts';
import type { SignRequest } from './issuer.ts';

/** A store with caches for one test, and what issuers are given. */
export interface IssuerGround {
  readonly clock: ManualClock;
  readonly context: IssuerContext;
  /** Writes through which the caches are up to date at once. */
  readonly api: KubeApi;
}

/** `follow`: the resources that the caches are to hold. */
export async function anIssuerGround(...follow: Resource<KubeObject>[]): Promise<IssuerGround> {
  const clock = manualClock();
  const store = anEmbeddedApi({ clock });
  const caches = createCaches({ api: store, clock, logger: silentLogger });
  for (const resource of [secrets, ...follow]) caches.cacheOf(resource);
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  caches.start(abort.signal);
  await caches.synced;
  const { writer: api } = caches;
  const context = { api, caches, clock, logger: silentLogger, clusterResourceNamespace: 'system' };
  return { clock, api, context };
}

/** A Secret in namespace `shop`, its values as text. */
export function aSecret(name: string, values: Record<string, string>, namespace = 'shop'): Secret {
  const data: Record<string, string> = {};
  for (const [key, text] of Object.entries(values)) data[key] = Buffer.from(text).toString('base64');
  return { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata: { name, namespace }, data };
}

/** An Issuer in namespace `shop`; a ClusterIssuer where the namespace is ''. */
export function anIssuer(spec: Issuer['spec'], namespace = 'shop'): Issuer {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: namespace === '' ? 'ClusterIssuer' : 'Issuer',
    metadata: { name: 'ours', ...(namespace !== '' && { namespace }), uid: 'issuer-uid', generation: 1 },
    spec,
  };
}

/** A request in namespace `shop` with its private key. */
export async function aSignRequest(
  content: CsrSpec = { dnsNames: ['site.example.com'] },
  more: { spec?: Partial<CertificateRequest['spec']>; annotations?: Record<string, string> } = {},
): Promise<SignRequest & { readonly privateKey: string }> {
  const key = await generatePrivateKey({ algorithm: 'ECDSA' });
  const pem = await createCsr({ ...content, key });
  return {
    request: {
      apiVersion: 'cert-manager.io/v1',
      kind: 'CertificateRequest',
      metadata: { name: 'site-1', namespace: 'shop', uid: 'request-uid', annotations: more.annotations },
      spec: { request: Buffer.from(pem).toString('base64'), issuerRef: { name: 'ours' }, ...more.spec },
    },
    csr: parseCsr(pem),
    privateKey: encodePrivateKey(key),
  };
}

/** The content of the Secret of a certificate authority, valid from `nowMs` for a year unless told otherwise. */
export async function aSigningPair(
  nowMs: number,
  more: { isCA?: boolean; lifetimeMs?: number } = {},
): Promise<{ 'tls.crt': string; 'tls.key': string }> {
  const { isCA = true, lifetimeMs = 365 * 24 * 3_600_000 } = more;
  const key = await generatePrivateKey({ algorithm: 'ECDSA' });
  const certificate = await selfSign({
    subject: subjectName({ commonName: 'Test CA' }),
    isCA,
    notBeforeMs: nowMs,
    notAfterMs: nowMs + lifetimeMs,
    key,
  });
  return { 'tls.crt': certificate, 'tls.key': encodePrivateKey(key) };
}

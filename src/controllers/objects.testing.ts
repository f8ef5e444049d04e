import { type AcmeSolver } from '../api/acme/solver.ts';
import type { Certificate, CertificateSpec } from '../api/cert-manager/certificate.ts';
import { certificates } from '../api/cert-manager/certificate.ts';
import { type Issuer, issuers } from '../api/cert-manager/issuer.ts';
import { hasCondition } from '../api/condition.ts';
import { type Secret, secrets } from '../api/kubernetes/secret.ts';
import type { ObjectMeta } from '../api/meta.ts';
import { createAuthority, type TestAuthority } from './authority.testing.ts';
import { type Ground, namespace } from './world.testing.ts';

/** A Certificate for `site.example.com` by Issuer `ca`, with an ECDSA key, into Secret `site-tls`. */
export function aCertificate(
  spec: Partial<CertificateSpec> = {},
  metadata: ObjectMeta = { name: 'site' },
): Certificate {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { namespace, ...metadata },
    spec: {
      secretName: 'site-tls',
      dnsNames: ['site.example.com'],
      privateKey: { algorithm: 'ECDSA' },
      issuerRef: { name: 'ca' },
      ...spec,
    },
  };
}

export function anIssuer(name: string, spec: Issuer['spec']): Issuer {
  return { apiVersion: 'cert-manager.io/v1', kind: 'Issuer', metadata: { name, namespace }, spec };
}

export function anAcmeIssuer(
  name: string,
  server: string,
  solver: AcmeSolver = { http01: { ingress: {} } },
): Issuer {
  const privateKeySecretRef = { name: `${name}-account` };
  return anIssuer(name, { acme: { server, privateKeySecretRef, solvers: [solver] } });
}

export function aSecret(name: string, data: Record<string, string>, more: Partial<Secret> = {}): Secret {
  const encoded = Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: { name, namespace },
    data: Object.fromEntries(encoded) as Record<string, string>,
    ...more,
  };
}

/** Stores Issuer `ca` with its signing pair. */
export async function aCaIssuer({ store, clock }: Ground, lifetimeMs?: number): Promise<TestAuthority> {
  const authority = await createAuthority('Test CA', clock.now(), lifetimeMs);
  const { certificate, privateKey } = authority;
  await store.create(secrets, aSecret('ca-pair', { 'tls.crt': certificate, 'tls.key': privateKey }));
  await store.create(issuers, anIssuer('ca', { ca: { secretName: 'ca-pair' } }));
  return authority;
}

/** Looks for a Certificate that is Ready, at this revision or later. */
export function ready(ground: Ground, name = 'site', revision = 1): () => Promise<Certificate | undefined> {
  return async () => {
    const certificate = await ground.get(certificates, name);
    const { conditions, revision: found = 0 } = certificate?.status ?? {};
    return found >= revision && hasCondition(conditions, 'Ready') ? certificate : undefined;
  };
}

/** One value of a Secret as text; undefined where it is not there. */
export async function textIn(ground: Ground, secretName: string, entry: string): Promise<string | undefined> {
  const encoded = (await ground.get(secrets, secretName))?.data?.[entry];
  return encoded && Buffer.from(encoded, 'base64').toString();
}

import type { Challenge } from '../../api/acme/challenge.ts';
import type { AcmeAuthorization, Order, OrderSpec, OrderStatus } from '../../api/acme/order.ts';
import type { CertificateRequest } from '../../api/cert-manager/certificate-request.ts';
import type { ObjectMeta, OwnerReference } from '../../api/meta.ts';
import { createCsr } from '../../pki/csr.ts';
import { generatePrivateKey } from '../../pki/private-key.ts';

const controlledBy = (kind: string, name: string): OwnerReference => ({
  apiVersion: 'x/v1',
  kind,
  name,
  uid: `${name}-uid`,
  controller: true,
});

/** The `spec.request` of a request for these names. */
export async function aRequestFor(...dnsNames: string[]): Promise<string> {
  const key = await generatePrivateKey({ algorithm: 'ECDSA' });
  return Buffer.from(await createCsr({ dnsNames, key })).toString('base64');
}

/** CertificateRequest `site-1`. */
export function aRequest(request: string): CertificateRequest {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'CertificateRequest',
    metadata: { name: 'site-1', namespace: 'shop', uid: 'site-1-uid' },
    spec: { request, issuerRef: { name: 'acme' } },
  };
}

/** Order `site-1-order`, which the request `site-1` controls. */
export function anOrder(
  request: string,
  status?: OrderStatus,
  more: { metadata?: ObjectMeta; spec?: Partial<OrderSpec> } = {},
): Order {
  return {
    apiVersion: 'acme.cert-manager.io/v1',
    kind: 'Order',
    metadata: {
      name: 'site-1-order',
      namespace: 'shop',
      uid: 'site-1-order-uid',
      ownerReferences: [controlledBy('CertificateRequest', 'site-1')],
      ...more.metadata,
    },
    spec: { request, issuerRef: { name: 'acme' }, dnsNames: ['site.example.com'], ...more.spec },
    ...(status !== undefined && { status }),
  };
}

export function anAuthorization(more: Partial<AcmeAuthorization> = {}): AcmeAuthorization {
  return {
    url: 'https://acme.example.com/authz/1',
    identifier: 'site.example.com',
    initialState: 'pending',
    challenges: [
      { url: 'https://acme.example.com/challenge/dns', type: 'dns-01', token: 'd'.repeat(43) },
      { url: 'https://acme.example.com/challenge/1', type: 'http-01', token: 't'.repeat(43) },
    ],
    ...more,
  };
}

/** The Challenge for `anAuthorization()`, which Order `site-1-order` controls. */
export function aChallenge(
  status?: Challenge['status'],
  more: { metadata?: ObjectMeta; spec?: Partial<Challenge['spec']> } = {},
): Challenge {
  return {
    apiVersion: 'acme.cert-manager.io/v1',
    kind: 'Challenge',
    metadata: {
      name: 'site-1-challenge',
      namespace: 'shop',
      uid: 'challenge-uid',
      ownerReferences: [controlledBy('Order', 'site-1-order')],
      ...more.metadata,
    },
    spec: {
      type: 'HTTP-01',
      url: 'https://acme.example.com/challenge/1',
      authorizationURL: 'https://acme.example.com/authz/1',
      dnsName: 'site.example.com',
      token: 't'.repeat(43),
      key: 'not served',
      solver: { http01: { ingress: {} } },
      issuerRef: { name: 'acme' },
      ...more.spec,
    },
    ...(status !== undefined && { status }),
  };
}

import type { Challenge } from '../../api/acme/challenge.ts';
import type { Order } from '../../api/acme/order.ts';
import type { Certificate } from '../../api/cert-manager/certificate.ts';
import type { CertificateRequest } from '../../api/cert-manager/certificate-request.ts';
import type { Issuer } from '../../api/cert-manager/issuer.ts';
import type { Condition } from '../../api/condition.ts';
import type { Ingress } from '../../api/kubernetes/ingress.ts';

/** Builders of one site, `shop.test` in namespace `shop`: each part as it is before anything happened to it. */

export function condition(
  type: string,
  status: Condition['status'],
  reason: string,
  message = '',
): Condition {
  return { type, status, reason, message, lastTransitionTime: '2026-01-01T00:00:00Z' };
}

const owned = (kind: string, name: string, uid: string) => [
  { apiVersion: 'x/v1', kind, name, uid, controller: true, blockOwnerDeletion: true },
];

export function anIngress(annotations: Record<string, string> = {}, spec?: Ingress['spec']): Ingress {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { namespace: 'shop', name: 'front', uid: 'ingress', annotations },
    spec: spec ?? {
      rules: [{ host: 'shop.test' }],
      tls: [{ hosts: ['shop.test'], secretName: 'shop-tls' }],
    },
  };
}

export function aCertificate(
  status?: Certificate['status'],
  spec: Partial<Certificate['spec']> = {},
): Certificate {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { namespace: 'shop', name: 'shop-tls', uid: 'certificate' },
    spec: {
      secretName: 'shop-tls',
      dnsNames: ['shop.test'],
      issuerRef: { name: 'le', kind: 'ClusterIssuer' },
      ...spec,
    },
    ...(status === undefined ? {} : { status }),
  };
}

export function aRequest(conditions: readonly Condition[] = [], revision = 1): CertificateRequest {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'CertificateRequest',
    metadata: {
      namespace: 'shop',
      name: `shop-tls-${revision}`,
      uid: `request-${revision}`,
      annotations: {
        'cert-manager.io/certificate-name': 'shop-tls',
        'cert-manager.io/certificate-revision': String(revision),
      },
      ownerReferences: owned('Certificate', 'shop-tls', 'certificate'),
    },
    spec: { issuerRef: { name: 'le', kind: 'ClusterIssuer' }, request: 'eA==' },
    status: { conditions: [...conditions] },
  };
}

export function anOrder(status: Order['status'] = {}): Order {
  return {
    apiVersion: 'acme.cert-manager.io/v1',
    kind: 'Order',
    metadata: {
      namespace: 'shop',
      name: 'shop-tls-1-77',
      uid: 'order',
      ownerReferences: owned('CertificateRequest', 'shop-tls-1', 'request-1'),
    },
    spec: { issuerRef: { name: 'le', kind: 'ClusterIssuer' }, request: 'eA==', dnsNames: ['shop.test'] },
    status,
  };
}

export function aChallenge(status: Challenge['status'] = {}, dnsName = 'shop.test'): Challenge {
  return {
    apiVersion: 'acme.cert-manager.io/v1',
    kind: 'Challenge',
    metadata: {
      namespace: 'shop',
      name: `shop-tls-1-77-${dnsName}`,
      uid: `challenge-${dnsName}`,
      ownerReferences: owned('Order', 'shop-tls-1-77', 'order'),
    },
    spec: {
      issuerRef: { name: 'le', kind: 'ClusterIssuer' },
      type: 'HTTP-01',
      dnsName,
      token: 't',
      key: 'k',
      url: 'https://acme.test/challenge/1',
      authorizationURL: 'https://acme.test/authorization/1',
      solver: { http01: { ingress: {} } },
    },
    status,
  };
}

export function anIssuer(conditions: readonly Condition[] = [condition('Ready', 'True', 'IsReady')]): Issuer {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'ClusterIssuer',
    metadata: { name: 'le', uid: 'issuer' },
    spec: { selfSigned: {} },
    status: { conditions: [...conditions] },
  };
}

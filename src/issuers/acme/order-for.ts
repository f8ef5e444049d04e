import { createHash } from 'node:crypto';
import { type Order, orders } from '../../api/acme/order.ts';
import { uncopiedAnnotationPrefixes } from '../../api/annotations.ts';
import { type CertificateRequest, certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import type { Issuer } from '../../api/cert-manager/issuer.ts';
import { apiVersionOf } from '../../api/resource.ts';
import type { CsrInfo } from '../../pki/csr.ts';
import { ownedBy } from '../owned-by.ts';

/** The Order by which an ACME issuer has one CertificateRequest signed; the same each time, by its name too. */
export function orderFor(issuer: Issuer, request: CertificateRequest, csr: CsrInfo): Order {
  const { name = '', namespace, uid = '', labels, annotations = {} } = request.metadata;
  const { enableDurationFeature, profile } = issuer.spec.acme ?? {};
  const copied = Object.entries(annotations).filter(
    ([key]) => !uncopiedAnnotationPrefixes.some(prefix => key.startsWith(prefix)),
  );
  const prefix = name.slice(0, 230).replace(/[-.]+$/, '');
  return {
    apiVersion: apiVersionOf(orders),
    kind: orders.kind,
    metadata: {
      // A request that is made again under the same name is another one, and gets an Order of its own.
      name: `${prefix}-${createHash('sha256').update(uid).digest('hex').slice(0, 10)}`,
      namespace,
      ...(labels !== undefined && { labels }),
      ...(copied.length > 0 && { annotations: Object.fromEntries(copied) }),
      ownerReferences: [ownedBy(request, certificateRequests)],
    },
    spec: {
      request: request.spec.request,
      issuerRef: request.spec.issuerRef,
      ...(csr.commonName !== undefined && { commonName: csr.commonName }),
      ...(csr.dnsNames.length > 0 && { dnsNames: [...csr.dnsNames] }),
      ...(csr.ipAddresses.length > 0 && { ipAddresses: [...csr.ipAddresses] }),
      ...(enableDurationFeature === true &&
        request.spec.duration !== undefined && { duration: request.spec.duration }),
      ...(profile !== undefined && { profile }),
    },
  };
}

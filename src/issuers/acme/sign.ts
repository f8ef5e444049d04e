import { createHash } from 'node:crypto';
import { type Order, orders } from '../../api/acme/order.ts';
import { type CertificateRequest, certificateRequests } from '../../api/cert-manager/certificate-request.ts';
import type { Issuer } from '../../api/cert-manager/issuer.ts';
import { keyOf } from '../../api/meta.ts';
import { apiVersionOf } from '../../api/resource.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { CsrInfo } from '../../pki/csr.ts';
import type { IssuerContext } from '../context.ts';
import type { SignRequest, SignResult } from '../issuer.ts';

/** Has a request signed by way of an Order, which another reconciler carries through. */
export async function signByOrder(
  context: IssuerContext,
  issuer: Issuer,
  signRequest: SignRequest,
): Promise<SignResult> {
  const { request, csr } = signRequest;
  const problem = csrProblem(csr);
  if (problem !== undefined) return { kind: 'failed', message: problem };

  const wanted = orderFor(issuer, request, csr);
  const order = context.caches.cacheOf(orders).get(keyOf(wanted)) ?? (await ensureOrder(context, wanted));
  const name = JSON.stringify(order.metadata.name);
  const { state, reason, certificate } = order.status ?? {};
  switch (state) {
    case 'valid':
      if (certificate === undefined)
        return { kind: 'pending', message: `Waiting for the certificate of Order ${name}.` };
      return { kind: 'signed', chain: Buffer.from(certificate, 'base64').toString(), ca: undefined };
    case 'invalid':
    case 'expired':
    case 'errored':
      return {
        kind: 'failed',
        message: `Order ${name} is ${state}: ${reason ?? 'the ACME server gave no reason.'}`,
      };
    default: {
      const detail = reason ? ` ${reason}` : '';
      return { kind: 'pending', message: `Waiting for Order ${name} (${state ?? 'new'}).${detail}` };
    }
  }
}

/** What ACME cannot certify. */
function csrProblem(csr: CsrInfo): string | undefined {
  if (csr.dnsNames.length + csr.ipAddresses.length === 0) {
    return 'The request names no DNS name and no IP address; ACME certifies nothing else.';
  }
  const others = [...csr.uris, ...csr.emailAddresses];
  if (others.length > 0)
    return `ACME cannot certify ${others.map(name => JSON.stringify(name)).join(', ')}; remove URIs and email addresses.`;
  const { commonName } = csr;
  if (
    commonName !== undefined &&
    !csr.dnsNames.includes(commonName) &&
    !csr.ipAddresses.includes(commonName)
  ) {
    return `The common name ${JSON.stringify(commonName)} is not among the DNS names; add it to spec.dnsNames.`;
  }
  return csr.isCA ? 'ACME does not sign certificate authorities; set spec.isCA to false.' : undefined;
}

async function ensureOrder(context: IssuerContext, wanted: Order): Promise<Order> {
  try {
    return await context.api.create(orders, wanted);
  } catch (error) {
    if (!isKubeError(error, 'KUBE_ALREADY_EXISTS')) throw error;
    return context.api.get(orders, keyOf(wanted));
  }
}

function orderFor(issuer: Issuer, request: CertificateRequest, csr: CsrInfo): Order {
  const { name = '', namespace, uid = '', labels, annotations } = request.metadata;
  const { enableDurationFeature, profile } = issuer.spec.acme ?? {};
  return {
    apiVersion: apiVersionOf(orders),
    kind: orders.kind,
    metadata: {
      // A request that is made again under the same name is another one, and gets an Order of its own.
      name: `${name.slice(0, 230)}-${createHash('sha256').update(uid).digest('hex').slice(0, 10)}`,
      namespace,
      ...(labels !== undefined && { labels }),
      ...(annotations !== undefined && { annotations }),
      ownerReferences: [
        {
          apiVersion: apiVersionOf(certificateRequests),
          kind: certificateRequests.kind,
          name,
          uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
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

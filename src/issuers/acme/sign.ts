import { type Order, orders } from '../../api/acme/order.ts';
import type { CertificateRequest } from '../../api/cert-manager/certificate-request.ts';
import type { Issuer } from '../../api/cert-manager/issuer.ts';
import { sameIssuer } from '../../api/cert-manager/issuer-ref.ts';
import { controllerOf, keyOf } from '../../api/meta.ts';
import type { CsrInfo } from '../../pki/csr.ts';
import type { IssuerContext } from '../context.ts';
import { createOrGet } from '../idempotent-writes.ts';
import type { SignRequest, SignResult } from '../issuer.ts';
import { isControlledBy } from '../owned-by.ts';
import { ended, quoted } from '../sentence.ts';
import { orderFor } from './order-for.ts';

const byRequest = 'request';

/** Declares the index that `signByOrder` looks Orders up by; once, before the caches start. */
export function addOrderIndex({ caches }: IssuerContext): void {
  caches.cacheOf(orders).addIndex(byRequest, order => [controllerOf(order)?.uid ?? '']);
}

/** Has a request signed by way of an Order, which another reconciler carries through. */
export async function signByOrder(
  context: IssuerContext,
  issuer: Issuer,
  { request, csr }: SignRequest,
): Promise<SignResult> {
  const problem = csrProblem(csr);
  if (problem !== undefined) return { kind: 'failed', message: problem };

  const wanted = orderFor(issuer, request, csr);
  const order =
    context.caches.cacheOf(orders).get(keyOf(wanted)) ??
    orderOfAnother(context, request) ??
    (await createOrGet(context.api, orders, wanted));
  const name = quoted(order.metadata.name);
  if (!isControlledBy(order, request)) {
    return {
      kind: 'failed',
      message: `Order ${name} has the name of this request's Order and is not the request's; delete it.`,
    };
  }
  const { state, reason, certificate } = order.status ?? {};
  switch (state) {
    case 'valid':
      if (certificate === undefined)
        return {
          kind: 'pending',
          message: `Waiting for the certificate of Order ${name}.`,
          isProgress: true,
        };
      return { kind: 'signed', chain: Buffer.from(certificate, 'base64').toString(), ca: undefined };
    case 'invalid':
    case 'expired':
    case 'errored':
      return {
        kind: 'failed',
        message: `Order ${name} is ${state}: ${ended(reason ?? 'the ACME server gave no reason')}`,
      };
    default: {
      const message = `Waiting for Order ${name} (${state ?? 'new'}).`;
      return reason
        ? { kind: 'pending', message: `${message} ${ended(reason)}` }
        : { kind: 'pending', message, isProgress: true };
    }
  }
}

/** The Order that another program has made for this very request: cert-manager names them in its own way. */
function orderOfAnother(
  { caches }: IssuerContext,
  { metadata, spec }: CertificateRequest,
): Order | undefined {
  return caches
    .cacheOf(orders)
    .byIndex(byRequest, metadata.uid ?? '')
    .find(
      order =>
        order.metadata.namespace === metadata.namespace &&
        order.metadata.deletionTimestamp === undefined &&
        order.spec.request === spec.request &&
        sameIssuer(order.spec.issuerRef, spec.issuerRef),
    );
}

/** What ACME cannot certify. */
function csrProblem(csr: CsrInfo): string | undefined {
  if (csr.dnsNames.length + csr.ipAddresses.length === 0) {
    return 'The request names no DNS name and no IP address, and ACME certifies nothing else; add one.';
  }
  const others = [...csr.uris, ...csr.emailAddresses, ...csr.otherNames.map(({ utf8Value }) => utf8Value)];
  if (others.length > 0) {
    return `ACME cannot certify ${others.map(quoted).join(', ')}; remove URIs, email addresses and other names.`;
  }
  const { commonName } = csr;
  if (
    commonName !== undefined &&
    !csr.dnsNames.includes(commonName.toLowerCase()) &&
    !csr.ipAddresses.includes(commonName)
  ) {
    return `The common name ${quoted(commonName)} is not among the DNS names; add it to spec.dnsNames.`;
  }
  return csr.isCA ? 'ACME does not sign certificate authorities; set spec.isCA to false.' : undefined;
}

import { downloadCertificate } from '../../acme/certificate.ts';
import { finalizeOrder, getOrder } from '../../acme/order.ts';
import { problemText } from '../../acme/problem.ts';
import type { AcmeOrder } from '../../acme/resources.ts';
import { keyOf } from '../../api/meta.ts';
import { ended } from '../../issuers/sentence.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import { progressGraceMs } from '../patience.ts';
import { soonest } from '../requeue.ts';
import { changeStatus, endOrder, type OrderWork, tellWait } from './work.ts';

/** Has the certificate made and stores it. Every request may be repeated: the order's state says where it stands. */
export async function finalize(work: OrderWork): Promise<ReconcileResult> {
  const { context, order, issuer, connection, pacer, signal } = work;
  const found = await finalizeOrRead(work);
  if (found.status === 'invalid') return endOrder(context, order, 'invalid', reasonOf(found));
  if (found.status === 'valid' && found.certificate !== undefined) {
    const { preferredChain } = issuer.spec.acme ?? {};
    const { chainPem } = await downloadCertificate(connection, found.certificate, { preferredChain, signal });
    const certificate = Buffer.from(chainPem).toString('base64');
    pacer.done(keyOf(order));
    await changeStatus(context, order, { state: 'valid', certificate, reason: undefined });
    return {};
  }
  if (found.status === 'pending' && order.status?.state !== 'pending') {
    // Not so far after all, whatever another program has written: it is proved first.
    await changeStatus(context, order, { state: 'pending' });
    return {};
  }
  const { requeueAfterMs } = await tellWait(
    work,
    order,
    'Waiting for the ACME server to make the certificate.',
    { graceMs: progressGraceMs },
  );
  return soonest(requeueAfterMs, pacer.nextDelayMs(keyOf(order), found.retryAfterMs));
}

async function finalizeOrRead({ order, connection, pacer, signal }: OrderWork): Promise<AcmeOrder> {
  const { url = '', finalizeURL = '' } = order.status ?? {};
  // After the first try the order is read, to see how it went.
  if (pacer.count(keyOf(order)) > 0) {
    const found = await getOrder(connection, url, { signal });
    if (found.status !== 'ready') return found;
  }
  const csr = Buffer.from(order.spec.request, 'base64').toString();
  const names = [...(order.spec.dnsNames ?? []), ...(order.spec.ipAddresses ?? [])];
  try {
    return await finalizeOrder(connection, finalizeURL, csr, { orderUrl: url, names, signal });
  } catch (error) {
    // Finalized already, by a process that did not live to hear the answer; or the answer is simply wrong.
    const found = await getOrder(connection, url, { signal });
    if (found.status === 'ready') throw error;
    return found;
  }
}

function reasonOf(order: AcmeOrder): string {
  return order.error === undefined
    ? 'The ACME server says that the order is invalid, and gives no reason.'
    : `The ACME server says: ${ended(problemText(order.error))}`;
}

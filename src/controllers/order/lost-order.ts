import { AcmeError, type AcmeErrorCode } from '../../acme/errors.ts';
import type { Order } from '../../api/acme/order.ts';
import { keyOf } from '../../api/meta.ts';
import { acmeEvents } from '../../api/reasons.ts';
import { rfc3339 } from '../../core/clock.ts';
import { changeStatus, type OrderTools } from './work.ts';

/** How the reason of a Challenge begins whose order was lost through no fault of its name. */
export const orderIsLost = 'The order is lost: ';

/**
 * Errors, on what belongs to an order, by which it is lost to this account and at this server alone: it was made by another
 * account, or at another server, or is forgotten. With a new order all may be well.
 */
const ofLostOrders: ReadonlySet<AcmeErrorCode> = new Set([
  'ACME_UNAUTHORIZED',
  'ACME_NOT_FOUND',
  'ACME_INVALID_URL',
]);

/** Whether an error on something of an order says that the order is lost. The account must be known to be in order. */
export function losesOrder(error: unknown): boolean {
  return error instanceof AcmeError && ofLostOrders.has(error.code);
}

/** Whether another order has taken the place of one that was lost: seen by the failureTime of an Order that is not over. */
export function hasStartedOver({ status }: Order): boolean {
  return status?.failureTime !== undefined;
}

/** Whether another order may take the place of the one at the server: once. */
export function mayStartOver(order: Order): boolean {
  return order.status?.url !== undefined && !hasStartedOver(order);
}

/** Forgets the order at the server, in one write, so that another is made. Its Challenges go after it. */
export async function startOver(
  { context, pacer, holds }: OrderTools,
  order: Order,
  reason: string,
): Promise<void> {
  await changeStatus(context, order, {
    url: undefined,
    finalizeURL: undefined,
    authorizations: undefined,
    certificate: undefined,
    state: 'pending',
    reason,
    failureTime: rfc3339(context.clock.now()),
  });
  pacer.forget(keyOf(order));
  holds.forget(keyOf(order));
  context.events.warning(order, acmeEvents.failed, `${reason} Another order is made in its place.`);
}

import { AcmeError, type AcmeErrorCode } from '../../acme/errors.ts';
import { challenges } from '../../api/acme/challenge.ts';
import { type Order, orders } from '../../api/acme/order.ts';
import { keyOf } from '../../api/meta.ts';
import { acmeEvents } from '../../api/reasons.ts';
import { deleteIfThere } from '../../issuers/idempotent-writes.ts';
import { byOrder } from './index-names.ts';
import { changeStatus, type OrderTools } from './work.ts';

/**
 * On an Order: the URL of the order at the server that was lost and whose place another takes. It is there once: an Order
 * whose second order is lost too has failed.
 */
export const lostOrderAnnotation = 'postern.dev/lost-order';

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

/** The order that an Order has lost before, by its URL. */
export function lostOrderOf({ metadata }: Order): string | undefined {
  return metadata.annotations?.[lostOrderAnnotation];
}

/** Notes that the order at the server is lost, before anything is done about it. */
export async function noteLoss({ context }: OrderTools, order: Order, reason: string): Promise<void> {
  const { resourceVersion } = order.metadata;
  const annotations = { [lostOrderAnnotation]: order.status?.url ?? '' };
  await context.api.mergePatch(orders, keyOf(order), { metadata: { annotations, resourceVersion } });
  context.events.warning(order, acmeEvents.failed, `${reason} Another order is made in its place.`);
}

/** Forgets the lost order with all that belongs to it, so that another is made. */
export async function startOver({ context, pacer, holds }: OrderTools, order: Order): Promise<void> {
  const owned = context.caches.cacheOf(challenges).byIndex(byOrder, order.metadata.uid ?? '');
  for (const challenge of owned) await deleteIfThere(context.api, challenges, challenge);
  pacer.forget(keyOf(order));
  holds.forget(keyOf(order));
  await changeStatus(context, order, {
    url: undefined,
    finalizeURL: undefined,
    authorizations: undefined,
    certificate: undefined,
    state: 'pending',
    reason: undefined,
  });
}

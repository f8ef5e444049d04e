import type { AcmeConnection } from '../../acme/connection.ts';
import type { AcmeOrder } from '../../acme/resources.ts';
import { type Order, type OrderStatus, orders } from '../../api/acme/order.ts';
import type { CertificateRequest } from '../../api/cert-manager/certificate-request.ts';
import type { Issuer } from '../../api/cert-manager/issuer.ts';
import { keyOf } from '../../api/meta.ts';
import { acmeEvents } from '../../api/reasons.ts';
import { rfc3339 } from '../../core/clock.ts';
import type { AcmeAccounts } from '../../issuers/acme/accounts.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import type { NameChecks } from '../../solvers/http01/name-checks.ts';
import type { ControllerContext } from '../context.ts';
import type { Holds } from '../holds.ts';
import type { Patience, WaitOptions } from '../patience.ts';
import type { PollPacer } from '../poll-pacer.ts';
import type { Proofs } from '../proofs.ts';
import { rateLimited, saysRateLimited } from '../rate-limit-text.ts';
import { writeStatus } from '../write-status.ts';

/** What every step of every Order works with. */
export interface OrderTools {
  readonly context: ControllerContext;
  readonly accounts: AcmeAccounts;
  readonly holds: Holds;
  readonly pacer: PollPacer;
  readonly patience: Patience;
  readonly proofs: Proofs;
  /** Whether names are in the DNS, by the key of their Order. */
  readonly names: NameChecks;
  /** The keys, as text, of the Challenges that this process has made. */
  readonly madeHere: Set<string>;
  /** Whether requests are approved here: see `RequestOptions`. */
  readonly approves: boolean;
  /** Orders that were made at the server and whose URL is not stored yet, by the Order's key. */
  readonly unstored: Map<string, { readonly uid: string | undefined; readonly made: AcmeOrder }>;
}

/** An Order on its way, with all that its steps need. */
export interface OrderWork extends OrderTools {
  readonly order: Order;
  /** The CertificateRequest that controls it. */
  readonly request: CertificateRequest;
  readonly issuer: Issuer;
  readonly connection: AcmeConnection;
  readonly signal: AbortSignal;
}

/** Changes the status of an Order. Gives whether it was another before. */
export function changeStatus(
  { api }: ControllerContext,
  order: Order,
  change: OrderStatus,
): Promise<boolean> {
  return writeStatus(api, orders, order, { ...order.status, ...change });
}

/** Ends an Order that has failed. */
export async function endOrder(
  context: ControllerContext,
  order: Order,
  state: NonNullable<OrderStatus['state']>,
  reason: string,
): Promise<ReconcileResult> {
  const failureTime = rfc3339(context.clock.now());
  await changeStatus(context, order, { state, reason, failureTime });
  context.events.warning(order, acmeEvents.failed, reason);
  return {};
}

/** Says what an Order waits for, once it has waited a while, or at once where that `isLong`. */
export async function tellWait(
  { context, patience }: OrderTools,
  order: Order,
  reason: string,
  { what = reason, isLong = false, graceMs }: WaitOptions = {},
): Promise<ReconcileResult> {
  const leftMs = patience.leftMs(keyOf(order), what, graceMs);
  if (leftMs > 0 && !isLong) return { requeueAfterMs: leftMs };
  // In a queue of many the time moves on and on: a write each, again and again, would tell nobody more.
  if (reason.startsWith(rateLimited) && saysRateLimited(order.status?.reason, context.clock.now())) return {};
  await changeStatus(context, order, { state: order.status?.state ?? 'pending', reason });
  return {};
}

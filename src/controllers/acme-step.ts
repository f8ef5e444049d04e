import type { AcmeConnection } from '../acme/connection.ts';
import { AcmeError, type AcmeErrorCode, endsOrder } from '../acme/errors.ts';
import type { Issuer } from '../api/cert-manager/issuer.ts';
import { type IssuerRef, issuerRefOf } from '../api/cert-manager/issuer-ref.ts';
import { findCondition } from '../api/condition.ts';
import type { ObjectKey } from '../api/meta.ts';
import { conditionTypes } from '../api/reasons.ts';
import type { AcmeAccounts } from '../issuers/acme/accounts.ts';
import { lookUpIssuer } from '../issuers/lookup.ts';
import { ended, quoted } from '../issuers/sentence.ts';
import type { ReconcileResult } from '../runtime/controller.ts';
import type { ControllerContext } from './context.ts';
import type { Holds } from './holds.ts';
import type { WaitOptions } from './patience.ts';
import { rateLimitText } from './rate-limit-text.ts';
import { soonest } from './requeue.ts';

/** A step of an Order or a Challenge that needs its ACME server. */
export interface AcmeStep {
  readonly context: ControllerContext;
  readonly accounts: AcmeAccounts;
  readonly issuerRef: IssuerRef;
  /** Of the Order or Challenge. */
  readonly key: ObjectKey;
  readonly holds: Holds;
  readonly signal: AbortSignal;
  step(issuer: Issuer, connection: AcmeConnection): Promise<ReconcileResult>;
  /** Says what is waited for; gives when to say it where it is too early for that. */
  wait(reason: string, how?: WaitOptions): Promise<ReconcileResult>;
  /** Says that nothing more can come of it, by what the server has answered: the account is in order. */
  end(reason: string, error: AcmeError): Promise<ReconcileResult>;
}

/** What may be said of an account that the server has forgotten, or does not take any more. */
const aboutAccount: ReadonlySet<AcmeErrorCode> = new Set([
  'ACME_UNAUTHORIZED',
  'ACME_ACCOUNT_DOES_NOT_EXIST',
]);
/** The account may have come back without a change to the issuer that would be seen. */
const doubtedAgainMs = 60_000;
/** A server that asks for this much time is waited for long enough to say so at once. */
const longWaitMs = 2_500;

/**
 * Takes a step, and sees to what may go wrong at the server: what ends an order ends it, what passes is said and thrown
 * on for the queue to try again, what the server has asked to wait with is put off until then, and where the account is
 * refused, the issuer is set up again.
 */
export async function acmeStep(options: AcmeStep): Promise<ReconcileResult> {
  const { context, accounts, issuerRef, key, holds, signal } = options;
  const heldMs = holds.leftMs(key);
  if (heldMs > 0) return { requeueAfterMs: heldMs };
  const issuer = lookUpIssuer(context.caches, issuerRef, key.namespace);
  const obstacle = obstacleOf(issuer, issuerRef);
  if (issuer === undefined || obstacle !== undefined) return options.wait(obstacle ?? '');
  try {
    return await options.step(issuer, accounts.connectionFor(issuer));
  } catch (error) {
    if (!(error instanceof AcmeError)) throw error;
    const message = ended(error.message);
    // A URL of another server: the issuer's was changed since.
    if (endsOrder(error) || error.code === 'ACME_INVALID_URL') return options.end(message, error);
    if (aboutAccount.has(error.code)) {
      // With an account that is in order, what was refused is this order.
      if (await accounts.verify(issuer, signal)) return options.end(message, error);
      const { requeueAfterMs } = await options.wait(message);
      return soonest(requeueAfterMs, doubtedAgainMs);
    }
    const { code, retryAfterMs } = error;
    if (retryAfterMs === undefined) {
      await options.wait(message, { what: code });
      throw error;
    }
    // Asked for by the server: no failure, and told in the log once for all who wait.
    holds.hold(key, retryAfterMs);
    const untilMs = error.retryAtMs ?? context.clock.now() + retryAfterMs;
    const said = rateLimitText(untilMs, message);
    const { requeueAfterMs } = await options.wait(said, { what: code, isLong: retryAfterMs >= longWaitMs });
    return soonest(requeueAfterMs, retryAfterMs);
  }
}

/** Why an issuer cannot be worked with now. A change of it brings back what waits. */
function obstacleOf(issuer: Issuer | undefined, ref: IssuerRef): string | undefined {
  const { kind, name } = issuerRefOf(ref);
  if (issuer === undefined) return `${kind} ${quoted(name)} does not exist; create it.`;
  if (issuer.spec.acme === undefined) return `${kind} ${quoted(name)} is no ACME issuer any more.`;
  const ready = findCondition(issuer.status?.conditions, conditionTypes.ready);
  if (ready?.status === 'True') return undefined;
  const said = ready?.message === undefined ? ' yet.' : `: ${ended(ready.message)}`;
  return `${kind} ${quoted(name)} is not ready${said}`;
}

import type { AcmeConnection } from '../acme/connection.ts';
import { AcmeError, endsOrder, isAcmeError } from '../acme/errors.ts';
import type { Issuer } from '../api/cert-manager/issuer.ts';
import { type IssuerRef, issuerRefOf } from '../api/cert-manager/issuer-ref.ts';
import { findCondition } from '../api/condition.ts';
import { conditionTypes } from '../api/reasons.ts';
import type { AcmeAccounts } from '../issuers/acme/accounts.ts';
import { lookUpIssuer } from '../issuers/lookup.ts';
import { ended, quoted } from '../issuers/sentence.ts';
import type { ReconcileResult } from '../runtime/controller.ts';
import type { ControllerContext } from './context.ts';
import { soonest } from './requeue.ts';

/** A step of an Order or a Challenge that needs its ACME server. */
export interface AcmeStep {
  readonly context: ControllerContext;
  readonly accounts: AcmeAccounts;
  readonly issuerRef: IssuerRef;
  readonly namespace: string;
  readonly signal: AbortSignal;
  step(issuer: Issuer, connection: AcmeConnection): Promise<ReconcileResult>;
  /** Says what is waited for; gives when to say it where it is too early for that. */
  wait(reason: string): Promise<ReconcileResult>;
  /** Says that nothing more can come of it. */
  end(reason: string): Promise<ReconcileResult>;
}

/** The account may have come back without a change to the issuer that would be seen. */
const doubtedAgainMs = 60_000;

/**
 * Takes a step, and sees to what may go wrong at the server: what ends an order ends it, what passes is said and thrown
 * on for the queue to try again, and where the account is refused, the issuer is set up again.
 */
export async function acmeStep(options: AcmeStep): Promise<ReconcileResult> {
  const { context, accounts, issuerRef, namespace, signal } = options;
  const issuer = lookUpIssuer(context.caches, issuerRef, namespace);
  const obstacle = obstacleOf(issuer, issuerRef);
  if (issuer === undefined || obstacle !== undefined) return options.wait(obstacle ?? '');
  try {
    return await options.step(issuer, accounts.connectionFor(issuer));
  } catch (error) {
    if (!(error instanceof AcmeError)) throw error;
    const message = ended(error.message);
    // A URL of another server: the issuer's was changed since.
    if (endsOrder(error) || error.code === 'ACME_INVALID_URL') return options.end(message);
    if (isAcmeError(error, 'ACME_UNAUTHORIZED', 'ACME_ACCOUNT_DOES_NOT_EXIST')) {
      // With an account that is in order, what was refused is this order.
      if (await accounts.verify(issuer, signal)) return options.end(message);
      const { requeueAfterMs } = await options.wait(message);
      return soonest(requeueAfterMs, doubtedAgainMs);
    }
    await options.wait(message);
    throw error;
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

import { getAuthorization } from '../../acme/authorization.ts';
import { downloadCertificate } from '../../acme/certificate.ts';
import type { AcmeConnection } from '../../acme/connection.ts';
import { AcmeError, endsOrder } from '../../acme/errors.ts';
import { finalizeOrder, getOrder, newOrder } from '../../acme/order.ts';
import { problemText } from '../../acme/problem.ts';
import type { AcmeAuthorization as AcmeAuthorizationResource, AcmeOrder } from '../../acme/resources.ts';
import { challenges } from '../../api/acme/challenge.ts';
import { type AcmeAuthorization, type Order, type OrderStatus, orders } from '../../api/acme/order.ts';
import type { Issuer } from '../../api/cert-manager/issuer.ts';
import { ingressClasses } from '../../api/kubernetes/ingress-class.ts';
import { keyOf, type ObjectKey } from '../../api/meta.ts';
import { acmeEvents } from '../../api/reasons.ts';
import { rfc3339 } from '../../core/clock.ts';
import { parseDuration } from '../../core/duration.ts';
import type { AcmeAccounts } from '../../issuers/acme/accounts.ts';
import { lookUpIssuer } from '../../issuers/lookup.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import type { ControllerContext } from '../context.ts';
import type { PollPacer } from '../poll-pacer.ts';
import { challengeFor } from './challenge-for.ts';
import { decideOrder } from './decide.ts';
import { byOrder } from './index-names.ts';

/** How this controller was set up. */
export interface OrderOptions {
  readonly accounts: AcmeAccounts;
  readonly pacer: PollPacer;
}

/** An Order on its way, with all that its steps need. */
interface Work {
  readonly context: ControllerContext;
  readonly options: OrderOptions;
  readonly order: Order;
  readonly issuer: Issuer;
  readonly connection: AcmeConnection;
  readonly signal: AbortSignal;
}

/** Takes one Order a step forward. */
export async function reconcileOrder(
  context: ControllerContext,
  options: OrderOptions,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const order = context.caches.cacheOf(orders).get(key);
  if (order === undefined) return {};
  const owned = context.caches.cacheOf(challenges).byIndex(byOrder, order.metadata.uid ?? '');
  const decision = decideOrder(order, owned);
  if (decision.kind === 'ignore' || decision.kind === 'wait') return {};
  if (decision.kind === 'clean-up') {
    options.pacer.forget(order.metadata.uid ?? '');
    for (const challenge of decision.challenges) {
      await context.api
        .delete(challenges, keyOf(challenge), { uid: challenge.metadata.uid })
        .catch(ignoreNotFound);
    }
    return {};
  }
  if (decision.kind === 'fail') {
    await fail(context, order, decision.state, decision.reason);
    return {};
  }

  const issuer = lookUpIssuer(context.caches, order.spec.issuerRef, key.namespace);
  // Without its issuer an Order stands still; a new issuer brings it back.
  if (issuer?.spec.acme === undefined) return {};
  const connection = options.accounts.connectionFor(issuer);
  const work: Work = { context, options, order, issuer, connection, signal };
  try {
    switch (decision.kind) {
      case 'order':
        return await makeOrder(work);
      case 'read-authorizations':
        await writeStatus(context, order, {
          authorizations: await readAuthorizations(work, order.status?.authorizations ?? []),
        });
        return {};
      case 'challenge':
        return await makeChallenges(work, decision.authorizations);
      case 'finalize':
        return await finalize(work);
    }
  } catch (error) {
    if (!(error instanceof AcmeError) || !endsOrder(error)) throw error;
    await fail(context, order, 'errored', error.message);
    return {};
  }
}

/** Orders at the ACME server, and stores the URL before anything else is done with it. */
async function makeOrder(work: Work): Promise<ReconcileResult> {
  const { context, order, connection, signal } = work;
  const { dnsNames = [], ipAddresses = [], duration, profile } = order.spec;
  const durationMs = duration === undefined ? undefined : parseDuration(duration);
  const made = await newOrder(
    connection,
    {
      identifiers: [
        ...dnsNames.map(value => ({ type: 'dns' as const, value })),
        ...ipAddresses.map(value => ({ type: 'ip' as const, value })),
      ],
      ...(durationMs !== undefined && { notAfter: context.clock.now() + durationMs }),
      ...(profile !== undefined && { profile }),
    },
    { signal },
  );
  const urls = made.authorizations.map(url => ({ url }));
  // What is to be proved is stored with the URL where it can be had; the URL is stored in any case.
  const authorizations = await readAuthorizations(work, urls).catch(() => urls);
  await writeStatus(context, order, {
    url: made.url,
    finalizeURL: made.finalize,
    authorizations,
    state: 'pending',
  });
  return {};
}

async function readAuthorizations(
  { connection, signal }: Work,
  known: readonly AcmeAuthorization[],
): Promise<AcmeAuthorization[]> {
  return Promise.all(
    known.map(async one =>
      one.initialState !== undefined ? one : stored(await getAuthorization(connection, one.url, { signal })),
    ),
  );
}

function stored({
  url,
  identifier,
  wildcard,
  status,
  challenges: offered,
}: AcmeAuthorizationResource): AcmeAuthorization {
  return {
    url,
    identifier: identifier.value,
    ...(wildcard !== undefined && { wildcard }),
    initialState: status === 'valid' || status === 'pending' ? status : 'invalid',
    challenges: offered.flatMap(({ url, type, token }) =>
      token === undefined ? [] : [{ url, type, token }],
    ),
  };
}

async function makeChallenges(
  work: Work,
  authorizations: readonly AcmeAuthorization[],
): Promise<ReconcileResult> {
  const { context, order, issuer, connection } = work;
  const classes = context.caches.cacheOf(ingressClasses);
  const isIngressClass = (name: string): boolean => classes.get({ namespace: '', name }) !== undefined;
  const choices = authorizations.map(authorization =>
    authorization.initialState === 'invalid'
      ? { problem: `The authorization for ${JSON.stringify(authorization.identifier)} is no longer open.` }
      : challengeFor(order, authorization, issuer.spec.acme?.solvers ?? [], connection, isIngressClass),
  );
  const problems = choices.flatMap(choice => ('problem' in choice ? [choice.problem] : []));
  if (problems.length > 0) {
    await fail(context, order, 'errored', problems.join(' '));
    return {};
  }
  for (const choice of choices) {
    if (!('challenge' in choice)) continue;
    await context.api.create(challenges, choice.challenge).catch(ignoreAlreadyExists);
  }
  return {};
}

/** Has the certificate made and stores it. Every request may be repeated: the order's state says where it stands. */
async function finalize(work: Work): Promise<ReconcileResult> {
  const { context, options, order, issuer, connection, signal } = work;
  const url = order.status?.url ?? '';
  const finalized = await finalizeOrRead(work, url);
  switch (finalized.status) {
    case 'valid': {
      if (finalized.certificate === undefined) break;
      const { preferredChain } = issuer.spec.acme ?? {};
      const { chainPem } = await downloadCertificate(connection, finalized.certificate, {
        preferredChain,
        signal,
      });
      options.pacer.forget(order.metadata.uid ?? '');
      const certificate = Buffer.from(chainPem).toString('base64');
      await writeStatus(context, order, { state: 'valid', certificate, reason: undefined });
      return {};
    }
    case 'invalid':
      await fail(context, order, 'invalid', reasonOf(finalized));
      return {};
    default:
      break;
  }
  return { requeueAfterMs: options.pacer.nextDelayMs(order.metadata.uid ?? '', finalized.retryAfterMs) };
}

async function finalizeOrRead({ options, order, connection, signal }: Work, url: string): Promise<AcmeOrder> {
  const { finalizeURL } = order.status ?? {};
  // After the first try the order is read, to see how it went.
  if (finalizeURL === undefined || options.pacer.count(order.metadata.uid ?? '') > 0) {
    const found = await getOrder(connection, url, { signal });
    if (found.status !== 'ready') return found;
  }
  const csr = Buffer.from(order.spec.request, 'base64').toString();
  try {
    return await finalizeOrder(connection, finalizeURL ?? '', csr, { orderUrl: url, signal });
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
    : `The ACME server says: ${problemText(order.error)}`;
}

async function fail(
  context: ControllerContext,
  order: Order,
  state: OrderStatus['state'],
  reason: string,
): Promise<void> {
  context.events.warning(order, acmeEvents.failed, reason);
  await writeStatus(context, order, { state, reason, failureTime: rfc3339(context.clock.now()) });
}

async function writeStatus({ api }: ControllerContext, order: Order, change: OrderStatus): Promise<void> {
  await api.updateStatus(orders, { ...order, status: { ...order.status, ...change } });
}

function ignoreNotFound(error: unknown): void {
  if (!isKubeError(error, 'KUBE_NOT_FOUND')) throw error;
}

function ignoreAlreadyExists(error: unknown): void {
  if (!isKubeError(error, 'KUBE_ALREADY_EXISTS')) throw error;
}

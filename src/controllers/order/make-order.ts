import { getAuthorization } from '../../acme/authorization.ts';
import { AcmeError, isAcmeError } from '../../acme/errors.ts';
import { type NewOrder, newOrder } from '../../acme/order.ts';
import { isCertId } from '../../acme/renewal-info.ts';
import type { AcmeAuthorization as AcmeAuthorizationResource, AcmeOrder } from '../../acme/resources.ts';
import { type AcmeAuthorization, type Order, orders } from '../../api/acme/order.ts';
import { replacesAnnotation } from '../../api/annotations.ts';
import { keyOf, keyText } from '../../api/meta.ts';
import { parseDuration } from '../../core/duration.ts';
import { quoted } from '../../issuers/sentence.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import { changeStatus, type OrderWork } from './work.ts';

/** Orders at the ACME server, and stores the URL before anything else is done with it. */
export async function makeOrder(work: OrderWork): Promise<ReconcileResult> {
  const { context, order, unstored } = work;
  const { uid } = order.metadata;
  const id = keyText(keyOf(order));
  const known = unstored.get(id);
  let made = known?.uid === uid ? known?.made : undefined;
  if (made === undefined) {
    // The cache may be behind another process that led before: one order too many costs a place in the CA's limits.
    const live = await context.api.get(orders, keyOf(order), work.signal);
    if (live.metadata.uid !== uid || live.status?.url !== undefined) return {};
    made = await orderAtServer(work);
    unstored.set(id, { uid, made });
  }
  const urls = made.authorizations.map(url => ({ url }));
  // What is to be proved is stored with the URL where it can be had; the URL is stored in any case.
  const authorizations = await authorizationsOf(work, urls).catch(() => urls);
  await changeStatus(context, order, {
    url: made.url,
    finalizeURL: made.finalize,
    authorizations,
    state: 'pending',
    reason: undefined,
  });
  unstored.delete(id);
  return {};
}

/** What servers say of a `replaces` that they do not take, whoever is to blame for it. */
const aboutReplaces = [
  'ACME_ALREADY_REPLACED',
  'ACME_CONFLICT',
  'ACME_MALFORMED',
  'ACME_NOT_FOUND',
  'ACME_UNAUTHORIZED',
] as const;

async function orderAtServer({ context, order, connection, signal }: OrderWork): Promise<AcmeOrder> {
  const { dnsNames = [], ipAddresses = [], duration, profile } = order.spec;
  const durationMs = duration === undefined ? undefined : parseDuration(duration);
  const { meta, renewalInfo } = await connection.directory({ signal });
  refuseUnknownProfile(profile, Object.keys(meta?.profiles ?? {}), connection.host);
  const wanted: NewOrder = {
    identifiers: [
      ...dnsNames.map(value => ({ type: 'dns' as const, value })),
      ...ipAddresses.map(value => ({ type: 'ip' as const, value })),
    ],
    ...(durationMs !== undefined && { notAfter: context.clock.now() + durationMs }),
    ...(profile !== undefined && { profile }),
  };
  const replaces = renewalInfo === undefined ? undefined : replacedIn(order);
  if (replaces === undefined) return newOrder(connection, wanted, { signal });
  try {
    return await newOrder(connection, { ...wanted, replaces }, { signal });
  } catch (error) {
    // It is a courtesy: a certificate that is due is not kept from coming by it.
    if (!isAcmeError(error, ...aboutReplaces)) throw error;
    return newOrder(connection, wanted, { signal });
  }
}

function replacedIn({ metadata }: Order): string | undefined {
  const certId = metadata.annotations?.[replacesAnnotation] ?? '';
  return isCertId(certId) ? certId : undefined;
}

/** Servers say no more than that they do not know it; some take it for no profile at all. */
function refuseUnknownProfile(profile: string | undefined, offered: readonly string[], host: string): void {
  if (profile === undefined || offered.includes(profile)) return;
  const fix =
    offered.length === 0 ? 'it offers none; remove it' : `use one of ${offered.slice(0, 20).join(', ')}`;
  throw new AcmeError(
    'ACME_INVALID_PROFILE',
    `The ACME server ${host} does not offer the profile ${quoted(profile)} of the issuer's spec.acme.profile: ${fix}`,
  );
}

/** Reads what has to be proved, where that could not be had together with the order. */
export async function readAuthorizations(work: OrderWork): Promise<ReconcileResult> {
  const { context, order } = work;
  const authorizations = await authorizationsOf(work, order.status?.authorizations ?? []);
  await changeStatus(context, order, { authorizations, reason: undefined });
  return {};
}

function authorizationsOf(
  { connection, signal }: OrderWork,
  known: readonly AcmeAuthorization[],
): Promise<AcmeAuthorization[]> {
  return Promise.all(
    known.map(async one =>
      one.initialState !== undefined ? one : stored(await getAuthorization(connection, one.url, { signal })),
    ),
  );
}

function stored(found: AcmeAuthorizationResource): AcmeAuthorization {
  const { url, identifier, wildcard, status, challenges: offered } = found;
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

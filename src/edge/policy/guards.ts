import type { Route } from '../compile/table.ts';
import { basicChallenge, credentialsOf, standInFor } from './basic-auth.ts';
import { type CertificateVerdict, judgeCertificate } from './client-certificate.ts';
import type { DecideContext } from './decide-context.ts';
import { clientOrigin } from './forwarded.ts';
import type { PreparedPolicy } from './prepared-policy.ts';
import type { CheckedHead } from './request-head.ts';
import { fillTemplate } from './request-template.ts';
import type { HeaderEdits, RoutePolicy } from './route-policy.ts';

/** What stands against a request: the status it is answered with, and why. */
export interface Denial {
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly string[];
}

function denial(status: number, reason: string, fields: readonly string[] = []): Denial {
  return { status, reason, fields };
}

/** Whether the ranges let a client in. Where none are named that may come in, those that are not denied are not spoken for. */
export function judgeAddress(
  { allow, deny }: Pick<PreparedPolicy, 'allow' | 'deny'>,
  address: string,
): 'none' | 'inside' | 'outside' {
  if (deny?.has(address) === true) return 'outside';
  if (allow === undefined) return 'none';
  return allow.has(address) ? 'inside' : 'outside';
}

/** The address that ranges and limits are about. */
export function clientAddressOf(head: CheckedHead, { trusted }: DecideContext): string {
  return head.connection.trusted ? clientOrigin(head, trusted).address : head.connection.clientAddress;
}

/** The verdict on the client certificate, as a denial or as what the upstream is told of it. */
export function judgeClient(
  policy: RoutePolicy,
  head: CheckedHead,
): { denied: Denial } | { edits: HeaderEdits | undefined } {
  const { clientCertificate } = policy;
  if (clientCertificate === undefined) return { edits: undefined };
  const verdict: CertificateVerdict = judgeCertificate(clientCertificate, head.connection);
  if (verdict.kind === 'pass') return { edits: verdict.edits };
  const { status, reason } = verdict;
  // The page may say how to get a certificate; a client that only came by the wrong name needs none.
  if (clientCertificate.errorPage !== undefined && status === 400)
    return { denied: denial(302, reason, ['Location', fillTemplate(clientCertificate.errorPage, head)]) };
  return { denied: denial(status, reason) };
}

/** Counts the request, or turns it away. `release` is to be called when it is over. */
export function judgeRate(
  policy: RoutePolicy,
  { exempt, counted }: PreparedPolicy,
  { source }: Route,
  address: string,
  { limiter, settings }: DecideContext,
): { denied: Denial } | { release: (() => void) | undefined } {
  if (!counted || exempt.has(address)) return { release: undefined };
  const admission = limiter.admit(policy.limits, `${source.namespace}/${source.name}`, address);
  if (admission.admitted) return { release: admission.release };
  const fields = settings.limitStatus === 429 ? ['Retry-After', '1'] : [];
  return { denied: denial(settings.limitStatus, `too many requests: ${admission.reason}`, fields) };
}

/**
 * Whether user and password are right, or the promise of it. For a name that there is not the password is held against
 * another user's hash: the time that an answer takes tells nothing of who there is.
 */
export function judgePassword(
  policy: RoutePolicy,
  head: CheckedHead,
  { passwords }: DecideContext,
): boolean | Promise<boolean> {
  const credentials = credentialsOf(head);
  const { basicAuth } = policy;
  if (credentials === undefined || basicAuth === undefined) return false;
  const own = basicAuth.users.get(credentials.user)?.reveal();
  const hash = own ?? standInFor(credentials.user, basicAuth.users);
  if (hash === undefined) return false;
  const right = passwords.known(credentials, hash) ?? passwords.check(credentials, hash);
  if (own !== undefined) return right;
  return typeof right === 'boolean' ? false : right.then(() => false);
}

/** The 401 of basic authentication. */
export function passwordDenial({ basicAuth }: RoutePolicy): Denial {
  return denial(401, 'no password, or a wrong one', basicAuth === undefined ? [] : basicChallenge(basicAuth));
}

/** A body that says it is longer than it may be. */
export function judgeLength({ contentLength, body }: CheckedHead, limit: number): Denial | undefined {
  return body === 'length' && contentLength > limit
    ? denial(413, `the body has ${contentLength} bytes, and may have ${limit}`)
    : undefined;
}

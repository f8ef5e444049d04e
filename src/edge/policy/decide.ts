import type { Alternative, Backend, Route, RoutingTable } from '../compile/table.ts';
import { looselyRead } from '../match/canonical-path.ts';
import { findRoute } from '../match/find-route.ts';
import { isAcmeChallengePath } from './acme-path.ts';
import { affinityCookie, backendMark, pinFor } from './affinity.ts';
import { chooseAlternative } from './alternatives.ts';
import { allowedOrigin, corsEdits, isPreflight, preflightFields } from './cors.ts';
import type { DecideContext } from './decide-context.ts';
import type { AnswerDecision, Decision, ForwardDecision } from './decision.ts';
import { clientOrigin, clientScheme } from './forwarded.ts';
import {
  clientAddressOf,
  type Denial,
  judgeAddress,
  judgeClient,
  judgeLength,
  judgePassword,
  judgeRate,
  passwordDenial,
} from './guards.ts';
import { edits, mergeEdits } from './header-edits.ts';
import { hasTls, judgePlainHttp } from './https-redirect.ts';
import { isGuarded, sameGuards } from './is-guarded.ts';
import { type PreparedPolicy, preparedPolicy } from './prepared-policy.ts';
import { redirectOf } from './redirects.ts';
import type { CheckedHead } from './request-head.ts';
import { fillTemplate, type TemplateFacts } from './request-template.ts';
import { rewrittenTarget } from './rewrite.ts';
import { type HeaderEdits, plainPolicy, type RoutePolicy } from './route-policy.ts';
import { judgeTls } from './tls-of-host.ts';

type Settled = AnswerDecision | ForwardDecision;

/** A request on its way through the checks. */
interface Passage {
  readonly table: RoutingTable;
  readonly head: CheckedHead;
  readonly route: Route;
  readonly context: DecideContext;
  /** HSTS, where the answer goes over HTTPS to a site that has TLS. */
  readonly security: HeaderEdits | undefined;
  readonly bodyLimit: number;
  readonly certificateEdits: HeaderEdits | undefined;
  /** External authentication is asked. */
  readonly asksAuth: boolean;
  readonly release: (() => void) | undefined;
}

const none: readonly string[] = Object.freeze([]);

/**
 * What becomes of a request. No I/O; what guards a route is asked before anything is said of what lies behind it:
 *
 *   no route                                  -> 404
 *   a guard that could not be honoured        -> 503
 *   plain HTTP where it is to be HTTPS        -> 308      (never for ACME's path), 400 without a host
 *   a path that hides one with other guards   -> 400
 *   TLS spoken in another way than the host's -> 421
 *   outside of the ranges                     -> 403
 *   client certificate: other policy, missing -> 421, 400, 403
 *   too many requests                         -> 503 or 429
 *   the body is too long                      -> 413
 *   a preflight of CORS                       -> 204      (it carries no password, by its nature)
 *   no password, or a wrong one               -> 401      (pending while it is computed)
 *   a redirect that the Ingress asks for      -> 301, 302, 308
 *   alternatives, affinity, rewrite, header edits -> forward, or 503 with no endpoints
 *
 * Rules that are for ACME's path itself, as those of solvers are, have no guards: an authority has no password.
 */
export function decide(table: RoutingTable, head: CheckedHead, context: DecideContext): Decision {
  const route = findRoute(table, head.host, head.path, head);
  const { settings } = context;
  const secure = clientScheme(head) === 'https';
  const security =
    secure && hasTls(table, route?.policy.redirect, head.host)
      ? route === undefined || route.policy.hsts === undefined
        ? context.secureEdits
        : preparedPolicy(route.policy).secureEdits
      : undefined;
  if (route === undefined) return answered(404, 'no route', none, route, security);
  const { policy } = route;
  const forAcme = isAcmeChallengePath(head.path);
  const unguarded = forAcme && isAcmeChallengePath(route.path);
  if (policy.refusal !== undefined && !unguarded) return answered(503, policy.refusal, none, route, security);
  if (!secure && !forAcme) {
    const denial = judgePlainHttp(table, policy.redirect, head, settings);
    if (denial !== undefined) return denied(denial, route, security);
  }
  if (passesByGuard(table, head, route))
    return answered(400, 'the path may be read as one that is guarded otherwise', none, route, security);
  const misdirected = unguarded ? undefined : judgeTls(table, head);
  if (misdirected !== undefined) return denied(misdirected, route, security);
  const bodyBytes = policy.limits.bodyBytes ?? settings.bodyBytes;
  const bodyLimit = bodyBytes === 0 ? Number.POSITIVE_INFINITY : bodyBytes;
  const tooLong = judgeLength(head, bodyLimit);
  if (tooLong !== undefined && policy === plainPolicy) return denied(tooLong, route, security);
  const passage: Passage = {
    table,
    head,
    route,
    context,
    security,
    bodyLimit,
    certificateEdits: undefined,
    asksAuth: false,
    release: undefined,
  };
  if (policy === plainPolicy || unguarded) return forward(passage);
  const prepared = preparedPolicy(policy);
  if (prepared.plain) return tooLong === undefined ? forward(passage) : denied(tooLong, route, security);
  return guarded(passage, prepared, tooLong);
}

function guarded(passage: Passage, prepared: PreparedPolicy, tooLong: Denial | undefined): Decision {
  const { head, route, context, security } = passage;
  const { policy } = route;
  const deny = (denial: Denial): AnswerDecision => denied(denial, route, security);
  const asksPassword = policy.basicAuth !== undefined;
  const either = policy.satisfy === 'any';

  const needsAddress = prepared.counted || prepared.allow !== undefined || prepared.deny !== undefined;
  const address = needsAddress ? clientAddressOf(head, context) : '';
  const place = judgeAddress(prepared, address);
  const otherWay = either && (asksPassword || policy.externalAuth !== undefined);
  if (place === 'outside' && !otherWay)
    return deny({ status: 403, reason: 'the client is outside of the source ranges', fields: none });
  const trusted = either && place === 'inside';

  const client = judgeClient(policy, head);
  if ('denied' in client) return deny(client.denied);
  const rate = judgeRate(policy, prepared, route, address, context);
  if ('denied' in rate) return deny(rate.denied);
  const { release } = rate;
  const settle = (decision: Settled): Settled => {
    if (decision.kind === 'answer') release?.();
    return decision;
  };
  if (tooLong !== undefined) return settle(deny(tooLong));
  if (policy.cors !== undefined && isPreflight(head)) {
    const origin = allowedOrigin(policy.cors, head);
    if (origin !== undefined)
      return settle(answered(204, 'CORS preflight', preflightFields(policy.cors, origin), route, security));
  }

  const go = (asksAuth: boolean): Settled =>
    settle(redirectOrForward({ ...passage, certificateEdits: client.edits, asksAuth, release }));
  const external = policy.externalAuth !== undefined && !trusted;
  if (!asksPassword || trusted) return go(external);
  const known = (right: boolean): Settled => {
    if (right) return go(external && !either);
    return external && either ? go(true) : settle(deny(passwordDenial(policy)));
  };
  const verdict = judgePassword(policy, head, context);
  if (typeof verdict === 'boolean') return known(verdict);
  const failed = (): Settled =>
    settle(deny({ status: 500, reason: 'the password could not be checked', fields: none }));
  return { kind: 'pending', decision: verdict.then(known).catch(failed) };
}

function redirectOrForward(passage: Passage): Settled {
  const { head, route, security } = passage;
  const redirect = redirectOf(route.policy.redirect, head, factsOf(passage));
  if (redirect === undefined) return forward(passage);
  return answered(
    redirect.status,
    'the Ingress asks for a redirect',
    ['Location', redirect.location],
    route,
    security,
  );
}

function forward(passage: Passage): Settled {
  const { table, head, route, context, security, bodyLimit, certificateEdits, asksAuth, release } = passage;
  const alternative = route.alternatives.length === 0 ? undefined : alternativeFor(route, head, context);
  const policy = alternative?.policy ?? route.policy;
  if (alternative !== undefined && policy.refusal !== undefined)
    return answered(503, policy.refusal, none, route, security);
  const backend = reachable(table, alternative?.backend ?? route.backend, policy);
  if (typeof backend === 'string') return answered(503, backend, none, route, security);
  if (policy === plainPolicy) {
    return {
      kind: 'forward',
      route,
      policy,
      alternative,
      backend,
      target: head.query === '' ? head.path : `${head.path}${head.query}`,
      host: head.hostHeader,
      requestEdits: certificateEdits,
      responseEdits: security,
      auth: undefined,
      pinned: undefined,
      hashText: undefined,
      bodyLimit,
      authCookies: none,
      release,
    };
  }
  const target =
    policy.rewrite === undefined ? `${head.path}${head.query}` : rewrittenTarget(policy.rewrite, route, head);
  if (target === undefined) return answered(400, 'the path cannot be rewritten', none, route, security);
  const pin =
    policy.affinity === undefined || backend.kind !== 'endpoints'
      ? undefined
      : pinFor(policy.affinity, head, backend.endpoints, backend.key, route.path);
  const cookie = pin?.setCookie;
  const cors =
    policy.cors === undefined ? undefined : corsEdits(policy.cors, allowedOrigin(policy.cors, head));
  const cookieEdits = cookie === undefined ? undefined : edits({ add: [['Set-Cookie', cookie]] });
  return {
    kind: 'forward',
    route,
    policy,
    alternative,
    backend,
    target,
    host:
      policy.upstreamHost === undefined
        ? head.hostHeader
        : fillTemplate(policy.upstreamHost, head, factsOf(passage)),
    requestEdits: mergeEdits(policy.requestHeaders, certificateEdits),
    responseEdits: mergeEdits(mergeEdits(security, policy.responseHeaders), mergeEdits(cors, cookieEdits)),
    auth: asksAuth ? route.policy.externalAuth : undefined,
    pinned: pin?.endpoint,
    hashText:
      policy.balance?.kind === 'hash' ? fillTemplate(policy.balance.by, head, factsOf(passage)) : undefined,
    bodyLimit,
    authCookies: none,
    release,
  };
}

/** A client that a canary served stays with it, where affinity says so. */
function alternativeFor(route: Route, head: CheckedHead, { random }: DecideContext): Alternative | undefined {
  const { affinity } = route.policy;
  if (affinity?.canarySticky === true) {
    const given = affinityCookie(affinity, head)?.backend;
    if (given !== undefined) {
      if (given === backendMark(route.backend)) return undefined;
      const sticky = route.alternatives.find(({ backend }) => backendMark(backend) === given);
      if (sticky !== undefined) return sticky;
    }
  }
  return chooseAlternative(route, head, random);
}

/**
 * Whether an upstream that reads the path loosely could take the request for one to a route with other guards. `/admin%2Fx` is
 * no path under `/admin` for the edge, and is one for many servers behind it.
 */
function passesByGuard(table: RoutingTable, head: CheckedHead, { policy }: Route): boolean {
  const path = looselyRead(head.path);
  if (path === undefined) return false;
  const other = findRoute(table, head.host, path, head);
  return other !== undefined && isGuarded(other.policy) && !sameGuards(other.policy, policy);
}

/** The backend, or the one that stands in for it; else the sentence why there is none. */
function reachable(
  table: RoutingTable,
  key: string,
  { fallbackBackend }: RoutePolicy,
): Exclude<Backend, { kind: 'unavailable' }> | string {
  const backend = table.backends.get(key);
  if (backend?.kind === 'external' || (backend?.kind === 'endpoints' && backend.endpoints.length > 0))
    return backend;
  if (fallbackBackend !== undefined) {
    const other = table.backends.get(fallbackBackend);
    if (other?.kind === 'external' || (other?.kind === 'endpoints' && other.endpoints.length > 0))
      return other;
  }
  if (backend === undefined) return 'there is no such backend';
  return backend.kind === 'unavailable'
    ? backend.reason
    : `Service ${backend.key} has no endpoints that are ready`;
}

/** What templates say of the client, where a trusted proxy has told something else than the connection. */
function factsOf({ head, context }: Passage): TemplateFacts | undefined {
  if (!head.connection.trusted) return undefined;
  const { address, scheme } = clientOrigin(head, context.trusted);
  return { clientAddress: address, scheme };
}

function denied(
  { status, reason, fields }: Denial,
  route: Route,
  security: HeaderEdits | undefined,
): AnswerDecision {
  return answered(status, reason, fields, route, security);
}

function answered(
  status: number,
  reason: string,
  fields: readonly string[],
  route: Route | undefined,
  security: HeaderEdits | undefined,
): AnswerDecision {
  const all = security === undefined ? fields : [...fields, ...security.set.flat()];
  return { kind: 'answer', status, reason, fields: all, route };
}

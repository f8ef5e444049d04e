import type { HeaderFields } from '../exchange/header-fields.ts';
import { isForbiddenHost } from '../upstream/forbidden-address.ts';
import type { AddressRanges } from './address-ranges.ts';
import type { AnswerDecision, ForwardDecision } from './decision.ts';
import { appendForwarded, clientOrigin } from './forwarded.ts';
import { edits, mergeEdits } from './header-edits.ts';
import { hopByHopHeaders } from './hop-by-hop.ts';
import type { CheckedHead } from './request-head.ts';
import { fillTemplate, type TemplateFacts } from './request-template.ts';
import type { ExternalAuth, HeaderEdits } from './route-policy.ts';

/** The request that asks another service whether a request may pass. It has no body. */
export interface AuthRequest {
  readonly scheme: 'http' | 'https';
  /** A name or an address, to be resolved through the check for forbidden addresses. */
  readonly host: string;
  readonly port: number;
  readonly authority: string;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Names and values in turn, without Host and framing. */
  readonly fields: readonly string[];
  readonly timeoutMs: number;
}

/** What the service answered. */
export interface AuthAnswer {
  readonly status: number;
  readonly fields: HeaderFields;
}

/** What the making of the request needs beside policy and head. */
export interface AuthSurroundings {
  /** Of the route, `''` for a rule without a host. */
  readonly routeHost: string;
  readonly trusted: AddressRanges;
  /** Standalone: services on loopback are allowed. */
  readonly standalone: boolean;
  /** Sent with it as with the request itself: those of a client certificate. */
  readonly requestEdits: HeaderEdits | undefined;
}

/** Fields of the client's that the service must not take for the edge's. */
const notPassed =
  /^(?:host|content-length|expect|forwarded|proxy|te|x-real-ip|x-scheme|x-forwarded-.*|x-original-.*|x-rewrite-url|x-auth-request-redirect|x-postern-auth-hops|ssl-client-.*)$/;

/**
 * Says how many permissions are being asked one for the other: an auth-url may lead to a route of the edge, and that one
 * may have an auth-url too. A client that sends it only gets less.
 */
const hopsField = 'X-Postern-Auth-Hops';
/** Where a permission depends on more than this many others, they lead in a circle. */
const mostHops = 3;

/**
 * The question for the service (ingress-nginx, External Authentication): the client's fields, and X-Original-URL, X-Original-
 * Method and X-Auth-Request-Redirect. Gives a sentence in `error` where it must not be asked; the request is then answered
 * with 500. A name that comes from the request's Host is taken for routes that are bound to a host alone: else any client
 * could send the edge to any server.
 */
export function authRequest(
  auth: ExternalAuth,
  head: CheckedHead,
  surroundings: AuthSurroundings,
): AuthRequest | { error: string } {
  const { routeHost, trusted, standalone, requestEdits } = surroundings;
  const hops = hopsOf(head.fields);
  if (hops >= mostHops) return { error: 'auth-url leads back to the edge, in a circle' };
  const origin = clientOrigin(head, trusted);
  const facts: TemplateFacts = { clientAddress: origin.address, scheme: origin.scheme };
  const authorityText = /^[^:]*:\/\/([^/?#]*)/.exec(auth.url)?.[1] ?? '';
  if (authorityText.includes('$') && routeHost === '')
    return { error: 'auth-url takes its host from the request, and the rule has no host' };
  const url = URL.parse(fillTemplate(auth.url, head, facts));
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.username !== '')
    return { error: 'auth-url gives no http or https URL for this request' };
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isForbiddenHost(host, standalone)) return { error: `auth-url leads to ${host}, which is not served` };

  const fields: string[] = [];
  for (let index = 0; index < head.fields.count; index += 1) {
    const name = head.fields.name(index);
    if (notPassed.test(name) || name.includes('_') || hopByHopHeaders.has(name)) continue;
    if (!head.connectionTokens.includes(name))
      fields.push(head.fields.rawName(index), head.fields.value(index));
  }
  appendForwarded(fields, head, trusted, false);
  const uri = `${head.path}${head.query}`;
  const redirect = auth.requestRedirect === undefined ? uri : fillTemplate(auth.requestRedirect, head, facts);
  fields.push('X-Original-URL', `${origin.scheme}://${head.hostHeader}${uri}`);
  fields.push('X-Original-Method', head.method, 'X-Auth-Request-Redirect', redirect);
  fields.push(hopsField, String(hops + 1));
  for (const [name, value] of requestEdits?.set ?? []) {
    if (name.startsWith('ssl-client-')) fields.push(name, value);
  }
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  return {
    scheme,
    host,
    port: url.port === '' ? (scheme === 'https' ? 443 : 80) : Number(url.port),
    authority: url.host,
    method: auth.method ?? 'GET',
    target: `${url.pathname}${url.search}`,
    fields,
    timeoutMs: auth.timeoutMs,
  };
}

/** How many permissions are being asked already. What is no number, or is there twice, nobody here has written. */
function hopsOf(fields: HeaderFields): number {
  const values = valuesOf(fields, hopsField.toLowerCase());
  const [value = '0'] = values;
  return values.length > 1 || !/^\d{1,3}$/.test(value) ? Number.POSITIVE_INFINITY : Number(value);
}

/** What becomes of a request for which the service must not be asked. */
export function authImpossible(decision: ForwardDecision, error: string): AnswerDecision {
  return denied(decision, 500, `external authentication: ${error}`, []);
}

/**
 * What becomes of a request after the service's answer, or after none (undefined): 2xx lets it pass, with the fields that the
 * policy names and without those that the client may have sent in their place; 401 is a redirect to the sign-in, or 401;
 * 403 is 403; all else is 500: nobody passes by mistake.
 */
export function afterAuth(
  auth: ExternalAuth,
  decision: ForwardDecision,
  head: CheckedHead,
  trusted: AddressRanges,
  answer: AuthAnswer | undefined,
): ForwardDecision | AnswerDecision {
  const status = answer?.status ?? 0;
  if (answer === undefined || status < 200 || (status >= 300 && status !== 401 && status !== 403))
    return denied(decision, 500, `external authentication: ${status === 0 ? 'no answer' : status}`, []);
  const cookies = valuesOf(answer.fields, 'set-cookie');
  const cookieFields = cookies.flatMap(value => ['Set-Cookie', value]);
  if (status === 403) return denied(decision, 403, 'external authentication', cookieFields);
  if (status === 401) {
    if (auth.signIn === undefined) {
      const challenges = valuesOf(answer.fields, 'www-authenticate');
      const challengeFields = challenges.flatMap(value => ['WWW-Authenticate', value]);
      return denied(decision, 401, 'external authentication', [...challengeFields, ...cookieFields]);
    }
    const { address, scheme } = clientOrigin(head, trusted);
    const location = fillTemplate(auth.signIn, head, { clientAddress: address, scheme });
    return denied(decision, 302, 'external authentication', ['Location', location, ...cookieFields]);
  }
  const set: [string, string][] = [];
  const remove: string[] = [];
  for (const name of auth.responseHeaders) {
    const value = answer.fields.first(name);
    if (value === undefined) remove.push(name);
    else set.push([name, value]);
  }
  return {
    ...decision,
    requestEdits:
      set.length + remove.length === 0
        ? decision.requestEdits
        : mergeEdits(decision.requestEdits, edits({ set, remove })),
    auth: undefined,
    authCookies: cookies,
  };
}

/** Statuses with which nginx's `add_header` adds. */
const goodStatuses: ReadonlySet<number> = new Set([200, 201, 204, 206, 301, 302, 303, 304, 307, 308]);

/** The edits of the upstream's answer, with the cookies of the authentication where this status gets them. */
export function responseEditsOf(decision: ForwardDecision, status: number): HeaderEdits | undefined {
  const { authCookies, responseEdits, policy } = decision;
  if (authCookies.length === 0) return responseEdits;
  if (!goodStatuses.has(status) && policy.externalAuth?.alwaysSetCookie !== true) return responseEdits;
  return mergeEdits(responseEdits, edits({ add: authCookies.map(value => ['Set-Cookie', value]) }));
}

function denied(
  decision: ForwardDecision,
  status: number,
  reason: string,
  fields: readonly string[],
): AnswerDecision {
  const security = decision.responseEdits?.set.filter(([name]) => name === 'Strict-Transport-Security') ?? [];
  return { kind: 'answer', status, reason, fields: [...fields, ...security.flat()], route: decision.route };
}

function valuesOf(fields: HeaderFields, name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index < fields.count; index += 1)
    if (fields.name(index) === name) values.push(fields.value(index));
  return values;
}

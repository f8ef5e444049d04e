import { createHash, randomBytes } from 'node:crypto';
import type { Endpoint } from '../compile/table.ts';
import { drawOf, hashOf } from '../upstream/consistent-hash.ts';
import { cookieOf } from './cookies.ts';
import { clientScheme } from './forwarded.ts';
import type { CheckedHead } from './request-head.ts';
import type { Affinity } from './route-policy.ts';

/**
 * Cookie affinity. The cookie's value is `<key>.<backend>`:
 *
 *   balanced:   the key is drawn by chance, and the endpoint follows from it by rendezvous hashing, so that a new endpoint
 *               takes its share of the clients there are
 *   persistent: the key stands for the endpoint, and the client stays for as long as that is there
 *
 * `<backend>` tells a main backend from its canaries. Neither part tells an address.
 */
export interface Pin {
  readonly endpoint: Endpoint;
  /** The value of Set-Cookie, where the client has no cookie that counts. */
  readonly setCookie: string | undefined;
}

const cookieForm = /^([0-9a-f]{16})\.([0-9a-f]{8})$/;

/** What the client's cookie says: its key, and which backend it was given for. Undefined for none, and for what is not ours. */
export function affinityCookie(
  affinity: Affinity,
  head: CheckedHead,
): { key: string; backend: string } | undefined {
  const [, key, backend] = cookieForm.exec(cookieOf(head.fields, affinity.cookie) ?? '') ?? [];
  return key === undefined || backend === undefined ? undefined : { key, backend };
}

/** What stands for a backend in cookies. */
export function backendMark(backendKey: string): string {
  return hashOf(backendKey).toString(16).padStart(8, '0');
}

/** Where the client belongs among the endpoints; undefined where there are none. `routePath` is the rule's. */
export function pinFor(
  affinity: Affinity,
  head: CheckedHead,
  endpoints: readonly Endpoint[],
  backendKey: string,
  routePath: string,
): Pin | undefined {
  if (endpoints.length === 0) return undefined;
  const mark = backendMark(backendKey);
  const cookie = affinityCookie(affinity, head);
  const known = cookie?.backend === mark ? endpointOf(affinity, cookie.key, endpoints) : undefined;
  if (known !== undefined) return { endpoint: known, setCookie: undefined };
  const key =
    affinity.mode === 'balanced'
      ? randomBytes(8).toString('hex')
      : endpointKey(endpoints[Math.floor(Math.random() * endpoints.length)]);
  const endpoint = endpointOf(affinity, key, endpoints);
  if (endpoint === undefined) return undefined;
  return { endpoint, setCookie: setCookie(affinity, `${key}.${mark}`, head, routePath) };
}

/**
 * Set-Cookie for a client whose endpoint failed it and that another one answered, where the policy wants the client to stay
 * there; undefined where it does not.
 */
export function cookieAfterFailure(
  affinity: Affinity,
  head: CheckedHead,
  endpoints: readonly Endpoint[],
  answered: Endpoint,
  backendKey: string,
  routePath: string,
): string | undefined {
  if (!affinity.changeOnFailure) return undefined;
  const mark = backendMark(backendKey);
  if (affinity.mode === 'persistent')
    return setCookie(affinity, `${endpointKey(answered)}.${mark}`, head, routePath);
  // A key that leads there: one in as many as there are endpoints does.
  for (let tries = 0; tries < endpoints.length * 10; tries += 1) {
    const key = randomBytes(8).toString('hex');
    const drawn = endpointOf(affinity, key, endpoints);
    if (drawn?.address === answered.address && drawn.port === answered.port)
      return setCookie(affinity, `${key}.${mark}`, head, routePath);
  }
  return undefined;
}

/** By list of endpoints: an endpoint's hash, and endpoints by key. */
const hashes = new WeakMap<readonly Endpoint[], readonly number[]>();
const byKey = new WeakMap<readonly Endpoint[], ReadonlyMap<string, Endpoint>>();

function endpointOf(affinity: Affinity, key: string, endpoints: readonly Endpoint[]): Endpoint | undefined {
  if (affinity.mode === 'persistent') {
    let keyed = byKey.get(endpoints);
    if (keyed === undefined) {
      keyed = new Map(endpoints.map(endpoint => [endpointKey(endpoint), endpoint]));
      byKey.set(endpoints, keyed);
    }
    return keyed.get(key);
  }
  let known = hashes.get(endpoints);
  if (known === undefined) {
    known = endpoints.map(({ address, port }) => hashOf(`${address} ${port}`));
    hashes.set(endpoints, known);
  }
  const text = hashOf(key);
  let best = -1;
  let highest = -1;
  for (const [index, hash] of known.entries()) {
    const draw = drawOf(text, hash);
    if (draw <= highest) continue;
    best = index;
    highest = draw;
  }
  return endpoints[best];
}

function endpointKey(endpoint: Endpoint | undefined): string {
  const text = `${endpoint?.address ?? ''} ${endpoint?.port ?? ''}`;
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function setCookie(affinity: Affinity, value: string, head: CheckedHead, routePath: string): string {
  const { cookie, path, domain, maxAgeSeconds, expiresSeconds, sameSite } = affinity;
  const parts = [`${cookie}=${value}`, `Path=${path === '' ? cookiePath(routePath) : path}`];
  if (domain !== undefined) parts.push(`Domain=${domain}`);
  if (maxAgeSeconds !== undefined) parts.push(`Max-Age=${maxAgeSeconds}`);
  if (expiresSeconds !== undefined)
    parts.push(`Expires=${new Date(Date.now() + expiresSeconds * 1_000).toUTCString()}`);
  if (affinity.secure ?? clientScheme(head) === 'https') parts.push('Secure');
  parts.push('HttpOnly');
  const unfit = affinity.conditionalSameSiteNone && sameSite === 'None' && rejectsNone(head);
  if (sameSite !== undefined && !unfit) parts.push(`SameSite=${sameSite}`);
  if (affinity.partitioned) parts.push('Partitioned');
  return parts.join('; ');
}

/** A rule's path that is a regular expression, or that would end the attribute, is no path of a cookie. */
function cookiePath(routePath: string): string {
  return /^\/[\w\-.~%/@:=&]*$/.test(routePath) ? routePath : '/';
}

/** Browsers that throw a cookie with SameSite=None away, or take it for Strict (Chromium, SameSite=None: known incompatible clients). */
function rejectsNone({ fields }: CheckedHead): boolean {
  const agent = fields.first('user-agent') ?? '';
  if (/\(iP.+; CPU .*OS 12[_\d]*.*\) AppleWebKit\//.test(agent)) return true;
  if (
    /\(Macintosh;.*Mac OS X 10_14[_\d]*.*\) AppleWebKit\//.test(agent) &&
    /Version\/.* Safari\//.test(agent)
  )
    return true;
  const chrome = Number(/Chrom(?:e|ium)\/(\d+)\./.exec(agent)?.[1] ?? 0);
  return chrome >= 51 && chrome < 67;
}

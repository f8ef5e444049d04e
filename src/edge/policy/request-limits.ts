import { LruMap } from '../../core/lru.ts';
import type { RequestLimits } from './route-policy.ts';

/** What one client may still ask of one Ingress. */
interface Allowance {
  perSecond: Bucket;
  perMinute: Bucket;
  underWay: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** May it pass: yes, with what is to be called when the request is over; or not now. */
export type Admission =
  | { readonly admitted: true; readonly release: (() => void) | undefined }
  | { readonly admitted: false; readonly reason: string };

const admitted: Admission = Object.freeze({ admitted: true, release: undefined });

/** Whether these limits limit anything that has to be counted. */
export function countsRequests(limits: RequestLimits): boolean {
  const { requestsPerSecond, requestsPerMinute, connections } = limits;
  return requestsPerSecond !== undefined || requestsPerMinute !== undefined || connections !== undefined;
}

/**
 * Counts what clients ask: a bucket of tokens for each rate, each client and each Ingress, and the requests under way. As
 * with ingress-nginx, the rate may come `burstFactor` times at once before anything is turned away. What was not seen for the
 * longest is forgotten, so that memory is bounded whoever asks.
 */
export class RequestLimiter {
  readonly #nowMs: () => number;
  readonly #share: number;
  readonly #clients: LruMap<string, Allowance>;

  /** `share` is the part of each limit that this process gives out; `nowMs` never goes back. */
  constructor(nowMs: () => number, share = 1, capacity = 50_000) {
    this.#nowMs = nowMs;
    this.#share = share;
    this.#clients = new LruMap(capacity);
  }

  /** `scope` is the Ingress, as `namespace/name`; `address` the client's. */
  admit(limits: RequestLimits, scope: string, address: string): Admission {
    const { requestsPerSecond, requestsPerMinute, connections, burstFactor } = limits;
    const nowMs = this.#nowMs();
    const client = this.#clientOf(`${scope} ${clientKey(address)}`, nowMs);
    if (connections !== undefined && client.underWay >= Math.max(1, Math.ceil(connections * this.#share)))
      return { admitted: false, reason: 'limit-connections' };
    const second = requestsPerSecond === undefined ? undefined : requestsPerSecond * this.#share;
    const minute = requestsPerMinute === undefined ? undefined : requestsPerMinute * this.#share;
    if (minute !== undefined && !filled(client.perMinute, minute / 60_000, minute * burstFactor, nowMs))
      return { admitted: false, reason: 'limit-rpm' };
    if (second !== undefined && !filled(client.perSecond, second / 1_000, second * burstFactor, nowMs))
      return { admitted: false, reason: 'limit-rps' };
    if (minute !== undefined) client.perMinute.tokens -= 1;
    if (second !== undefined) client.perSecond.tokens -= 1;
    if (connections === undefined) return admitted;
    client.underWay += 1;
    let released = false;
    const release = (): void => {
      if (!released) client.underWay -= 1;
      released = true;
    };
    return { admitted: true, release };
  }

  #clientOf(key: string, nowMs: number): Allowance {
    const known = this.#clients.get(key);
    if (known !== undefined) return known;
    // Full: `filled` cuts it to the burst.
    const full = (): Bucket => ({ tokens: Number.POSITIVE_INFINITY, atMs: nowMs });
    const made = { perSecond: full(), perMinute: full(), underWay: 0 };
    this.#clients.set(key, made);
    return made;
  }
}

/** Whether there is a token, after what has come in since the last time. One more than the burst fits in. */
function filled(bucket: Bucket, tokensPerMs: number, burst: number, nowMs: number): boolean {
  bucket.tokens = Math.min(burst + 1, bucket.tokens + (nowMs - bucket.atMs) * tokensPerMs);
  bucket.atMs = nowMs;
  return bucket.tokens >= 1;
}

/** What stands for a client: an IPv4 address, or the /64 of an IPv6 address, of which a client has all (RFC 6177). */
export function clientKey(address: string): string {
  if (!address.includes(':')) return address;
  const [left = '', right] = address.split('::');
  const groups = left === '' ? [] : left.split(':');
  if (right !== undefined) {
    const tail = right === '' ? 0 : right.split(':').length + (right.includes('.') ? 1 : 0);
    const gap = 8 - groups.length - tail;
    groups.push(...Array.from({ length: gap }, () => '0'), ...right.split(':'));
  }
  return groups
    .slice(0, 4)
    .map(group => Number.parseInt(group === '' ? '0' : group, 16).toString(16))
    .join(':');
}

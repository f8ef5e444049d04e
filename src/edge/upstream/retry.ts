import type { RetryPolicy, RetryReason } from '../policy/route-policy.ts';
import type { UpstreamFailure } from './failure.ts';

/** What holds where a route says nothing: as ingress-nginx's `proxy-next-upstream` does by default. */
export const defaultRetryPolicy: RetryPolicy = Object.freeze({
  on: Object.freeze(['error', 'timeout'] as const),
  nonIdempotent: false,
  tries: 3,
  withinMs: 0,
});

/** A try that gave no answer, or one that may be bettered. */
export interface FailedTry {
  readonly method: string;
  /** The failure, or the status of the upstream's answer, whose body has not been passed on. */
  readonly outcome: UpstreamFailure | number;
  /** The upstream cannot have seen the request. */
  readonly untouched: boolean;
  /** Whether the request can be sent again whole: nothing of its body was consumed, or all of it was kept. */
  readonly repeatable: boolean;
  /** Tries made, this one too. */
  readonly tries: number;
  readonly endpoints: number;
  /** Since the first try began. */
  readonly elapsedMs: number;
}

/** Methods that may be sent twice with the effect of once (RFC 9110 section 9.2.2). Unknown ones may not. */
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

const reasonOfStatus: ReadonlyMap<number, RetryReason> = new Map([
  [429, 'http_429'],
  [500, 'http_500'],
  [502, 'http_502'],
  [503, 'http_503'],
  [504, 'http_504'],
]);

/**
 * Whether a request is tried again. Pure, and on the side of care: a request that may have had an effect is sent again only
 * where it is idempotent or the route says that all may be.
 *
 *   not for this reason | cannot be sent again whole | tries or time used up --> no
 *   the upstream may have seen it, and it is not idempotent                  --> no
 *   no connection came about, and there is no other endpoint                 --> no
 *   else                                                                     --> yes
 */
export function decideRetry(policy: RetryPolicy | undefined, failed: FailedTry): boolean {
  const { on, nonIdempotent, tries, withinMs } = policy ?? defaultRetryPolicy;
  const reason = reasonOf(failed.outcome);
  if (reason === undefined || !on.includes(reason) || !failed.repeatable) return false;
  if (failed.tries >= (tries === 0 ? Math.max(1, failed.endpoints) : tries)) return false;
  if (withinMs > 0 && failed.elapsedMs >= withinMs) return false;
  if (!failed.untouched && !nonIdempotent && !idempotent.has(failed.method)) return false;
  return failed.endpoints > 1 || !failedToConnect(failed.outcome);
}

/** Undefined for what another try would not better: a certificate that was refused, a client that is too slow. */
function reasonOf(outcome: UpstreamFailure | number): RetryReason | undefined {
  if (typeof outcome === 'number') return reasonOfStatus.get(outcome);
  if (outcome.verification) return undefined;
  return outcome.status === 504 ? 'timeout' : outcome.status === 502 ? 'error' : undefined;
}

const connectCodes: ReadonlySet<string> = new Set([
  'EDGE_UPSTREAM_CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'ETIMEDOUT',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** Whether a failure means that no connection came about, so that the endpoint is better left alone for a while. */
export function failedToConnect(outcome: UpstreamFailure | number): boolean {
  return typeof outcome !== 'number' && connectCodes.has(outcome.code);
}

import { PosternError, type Retry } from '../core/errors.ts';

/** What went wrong with a call to the Kubernetes API. */
export type KubeErrorCode =
  | 'KUBE_NOT_FOUND' // 404
  | 'KUBE_ALREADY_EXISTS' // 409, reason AlreadyExists
  | 'KUBE_CONFLICT' // 409, an old resourceVersion or another uid
  | 'KUBE_GONE' // 410, a version or a continue token too old
  | 'KUBE_INVALID' // 400 or 422, the object was refused; the message names field, value and reason
  | 'KUBE_FORBIDDEN' // 403
  | 'KUBE_UNAUTHORIZED' // 401
  | 'KUBE_TOO_MANY_REQUESTS' // 429
  | 'KUBE_UNAVAILABLE'; // network, time-out, 5xx, an answer that does not parse

const retries: Readonly<Record<KubeErrorCode, Retry>> = {
  KUBE_NOT_FOUND: 'backoff',
  KUBE_ALREADY_EXISTS: 'backoff',
  KUBE_CONFLICT: 'backoff',
  KUBE_GONE: 'backoff',
  KUBE_INVALID: 'backoff',
  KUBE_FORBIDDEN: 'backoff',
  KUBE_UNAUTHORIZED: 'backoff',
  KUBE_TOO_MANY_REQUESTS: 'after',
  KUBE_UNAVAILABLE: 'backoff',
};

/** A failed call to the Kubernetes API. */
export class KubeError extends PosternError {
  declare readonly code: KubeErrorCode;

  constructor(
    code: KubeErrorCode,
    message: string,
    options: { retryAfterMs?: number; cause?: unknown } = {},
  ) {
    const retry = options.retryAfterMs === undefined && retries[code] === 'after' ? 'backoff' : retries[code];
    super(message, { code, retry, ...options });
  }
}

/** Whether `thrown` is a KubeError with one of these codes. */
export function isKubeError(thrown: unknown, ...codes: KubeErrorCode[]): thrown is KubeError {
  return thrown instanceof KubeError && (codes.length === 0 || codes.includes(thrown.code));
}

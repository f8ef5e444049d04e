import { KubeError, type KubeErrorCode } from '../errors.ts';

/** `metav1.Status`, as far as errors need it. */
interface Status {
  readonly message: string | undefined;
  readonly reason: string | undefined;
  readonly code: number | undefined;
  readonly retryAfterSeconds: number | undefined;
}

/** The longest message that is taken over from the API server, in characters. */
const longestMessage = 1_024;

/** A Retry-After that asks for more than this is taken for a mistake, and cut to it. */
const longestRetryAfterMs = 10 * 60_000;

const codeOfHttpStatus: Readonly<Record<number, KubeErrorCode>> = {
  400: 'KUBE_INVALID',
  401: 'KUBE_UNAUTHORIZED',
  403: 'KUBE_FORBIDDEN',
  404: 'KUBE_NOT_FOUND',
  405: 'KUBE_INVALID',
  406: 'KUBE_INVALID',
  409: 'KUBE_CONFLICT',
  410: 'KUBE_GONE',
  413: 'KUBE_INVALID',
  415: 'KUBE_INVALID',
  422: 'KUBE_INVALID',
  429: 'KUBE_TOO_MANY_REQUESTS',
};

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function statusOf(body: unknown): Status | undefined {
  if (!isRecord(body) || body['kind'] !== 'Status') return undefined;
  const details = isRecord(body['details']) ? body['details'] : {};
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
  return {
    message: text(body['message']),
    reason: text(body['reason']),
    code: number(body['code']),
    retryAfterSeconds: number(details['retryAfterSeconds']),
  };
}

function codeOf(httpStatus: number, reason: string | undefined): KubeErrorCode {
  if (reason === 'AlreadyExists') return 'KUBE_ALREADY_EXISTS';
  if (reason === 'Expired' || reason === 'Gone') return 'KUBE_GONE';
  return codeOfHttpStatus[httpStatus] ?? 'KUBE_UNAVAILABLE';
}

/**
 * Reads a Retry-After header, in seconds or as an HTTP date (RFC 9110, section 10.2.3). Gives milliseconds
 * from `nowMs`, or undefined where the header is absent or is neither.
 */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (text === '') return undefined;
  const delayMs = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  if (Number.isNaN(delayMs)) return undefined;
  return Math.min(Math.max(0, delayMs), longestRetryAfterMs);
}

/**
 * The error that a failed answer of the API server stands for.
 *
 * @param what the call, for the message: `create secrets default/tls`
 * @param body the parsed body, or undefined where it is not JSON: it is then not shown, it may be anyone's
 */
export function errorOfAnswer(
  what: string,
  httpStatus: number,
  body: unknown,
  retryAfter: string | undefined,
  nowMs: number,
): KubeError {
  const status = statusOf(body);
  const message = status?.message?.slice(0, longestMessage) ?? 'no reason was given';
  const waitMs =
    parseRetryAfter(retryAfter, nowMs) ??
    (status?.retryAfterSeconds === undefined ? undefined : status.retryAfterSeconds * 1_000);
  return new KubeError(
    codeOf(httpStatus, status?.reason),
    `${what}: the API server answered ${httpStatus}: ${message}`,
    waitMs === undefined ? {} : { retryAfterMs: Math.min(waitMs, longestRetryAfterMs) },
  );
}

/** The error that an ERROR event inside a watch stands for. */
export function errorOfWatchEvent(what: string, object: unknown, nowMs: number): KubeError {
  return errorOfAnswer(what, statusOf(object)?.code ?? 500, object, undefined, nowMs);
}

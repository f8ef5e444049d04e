import { PosternError, type Retry } from '../core/errors.ts';
import { type AcmeProblem, type AcmeSubproblem, problemText } from './problem.ts';

/**
 * Every code, how it is tried again, and whether it ends an order. "Ends" means that this order cannot come to
 * a certificate any more: the same request would be refused for ever. All else is waited out, and the order goes
 * on where it stood.
 */
const codes = {
  // The way to the server, and answers that no ACME server means to give.
  ACME_UNREACHABLE: { retry: 'backoff', endsOrder: false }, // no connection, TLS failure, reset
  ACME_TIMEOUT: { retry: 'backoff', endsOrder: false }, // no whole answer before the deadline
  ACME_BAD_ANSWER: { retry: 'backoff', endsOrder: false }, // truncated, malformed, too large, a field missing
  ACME_REDIRECTED: { retry: 'backoff', endsOrder: false }, // 3xx: redirects are not followed
  ACME_SERVER: { retry: 'backoff', endsOrder: false }, // 5xx, serverInternal
  ACME_UNEXPECTED_STATUS: { retry: 'backoff', endsOrder: false }, // 4xx that is no ACME problem: a proxy's, say
  // Refusals that time or another request cures.
  ACME_RATE_LIMITED: { retry: 'after', endsOrder: false }, // 429, rateLimited
  ACME_BAD_NONCE: { retry: 'backoff', endsOrder: false }, // more refusals in a row than are tried at once
  ACME_ORDER_NOT_READY: { retry: 'backoff', endsOrder: false }, // finalize too early, or twice: read the order again
  ACME_CONFLICT: { retry: 'backoff', endsOrder: false }, // 409
  ACME_REFUSED: { retry: 'backoff', endsOrder: false }, // a problem type that is not known here
  // The account: the issuer must mend it; orders wait.
  ACME_ACCOUNT_DOES_NOT_EXIST: { retry: 'backoff', endsOrder: false },
  ACME_ACCOUNT_UNKNOWN: { retry: 'backoff', endsOrder: false }, // a step came before the account's URL was known
  ACME_UNAUTHORIZED: { retry: 'backoff', endsOrder: false }, // account deactivated, or not the owner of the resource
  ACME_EXTERNAL_ACCOUNT_REQUIRED: { retry: 'never', endsOrder: false },
  ACME_USER_ACTION_REQUIRED: { retry: 'backoff', endsOrder: false }, // new terms of service
  ACME_INVALID_CONTACT: { retry: 'never', endsOrder: false },
  ACME_UNSUPPORTED_KEY: { retry: 'never', endsOrder: false }, // the account key's type
  ACME_INVALID_URL: { retry: 'never', endsOrder: false }, // directory URL no http(s) URL, or a resource elsewhere
  ACME_INVALID_CA_BUNDLE: { retry: 'never', endsOrder: false },
  // The order.
  ACME_REJECTED_IDENTIFIER: { retry: 'never', endsOrder: true },
  ACME_UNSUPPORTED_IDENTIFIER: { retry: 'never', endsOrder: true },
  ACME_CAA: { retry: 'never', endsOrder: true },
  ACME_BAD_CSR: { retry: 'never', endsOrder: true },
  ACME_BAD_PUBLIC_KEY: { retry: 'never', endsOrder: true },
  ACME_INVALID_PROFILE: { retry: 'never', endsOrder: true },
  ACME_VALIDATION_FAILED: { retry: 'never', endsOrder: true }, // dns, connection, tls, incorrectResponse
  ACME_MALFORMED: { retry: 'never', endsOrder: true },
  ACME_NOT_FOUND: { retry: 'never', endsOrder: true }, // 404 on an order, an authorization, a certificate
  ACME_ALREADY_REPLACED: { retry: 'never', endsOrder: false }, // RFC 9773: order again without `replaces`
  ACME_ALREADY_REVOKED: { retry: 'never', endsOrder: false },
  ACME_BAD_REVOCATION_REASON: { retry: 'never', endsOrder: false },
} as const satisfies Record<string, { retry: Retry; endsOrder: boolean }>;

/** What went wrong with a call to an ACME server. */
export type AcmeErrorCode = keyof typeof codes;

/** All codes, for docs/errors.md. */
export const acmeErrorCodes = Object.keys(codes) as readonly AcmeErrorCode[];

/** The further facts of a failed call. */
export interface AcmeErrorFacts {
  /** The HTTP status of the answer, where there was one. */
  readonly status?: number | undefined;
  readonly problem?: AcmeProblem | undefined;
  /** How long the server asked to be left alone, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** The instant until which it asked for that, in milliseconds since the epoch. */
  readonly retryAtMs?: number | undefined;
  readonly cause?: unknown;
}

/** A failed call to an ACME server. Its message is fit for a condition. */
export class AcmeError extends PosternError {
  declare readonly code: AcmeErrorCode;
  readonly status: number | undefined;
  /** The problem document, where the server sent one. */
  readonly problem: AcmeProblem | undefined;
  /** Until when the server has asked to be left alone, in milliseconds since the epoch; `retryAfterMs` may be more. */
  readonly retryAtMs: number | undefined;

  constructor(code: AcmeErrorCode, message: string, facts: AcmeErrorFacts = {}) {
    const { retryAfterMs } = facts;
    const known = codes[code].retry;
    // A time the server named is kept; where a rate limit names none, the queue's own back-off serves.
    const retry = known === 'never' ? 'never' : retryAfterMs === undefined ? 'backoff' : 'after';
    super(message, {
      code,
      retry,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      cause: facts.cause,
    });
    this.status = facts.status;
    this.problem = facts.problem;
    this.retryAtMs = facts.retryAtMs;
  }

  /** The short problem type, `rejectedIdentifier` say; undefined where the server sent no problem. */
  get problemType(): string | undefined {
    return this.problem?.type;
  }

  get subproblems(): readonly AcmeSubproblem[] {
    return this.problem?.subproblems ?? [];
  }
}

/** Whether `thrown` is an AcmeError with one of these codes. */
export function isAcmeError(thrown: unknown, ...wanted: AcmeErrorCode[]): thrown is AcmeError {
  return thrown instanceof AcmeError && (wanted.length === 0 || wanted.includes(thrown.code));
}

/** Whether this error means that the order it was met on cannot succeed any more. Unknown errors never do. */
export function endsOrder(thrown: unknown): boolean {
  return thrown instanceof AcmeError && codes[thrown.code].endsOrder;
}

const codeOfType: Readonly<Record<string, AcmeErrorCode>> = {
  accountDoesNotExist: 'ACME_ACCOUNT_DOES_NOT_EXIST',
  alreadyReplaced: 'ACME_ALREADY_REPLACED',
  alreadyRevoked: 'ACME_ALREADY_REVOKED',
  badCSR: 'ACME_BAD_CSR',
  badNonce: 'ACME_BAD_NONCE',
  badPublicKey: 'ACME_BAD_PUBLIC_KEY',
  badRevocationReason: 'ACME_BAD_REVOCATION_REASON',
  badSignatureAlgorithm: 'ACME_UNSUPPORTED_KEY',
  caa: 'ACME_CAA',
  connection: 'ACME_VALIDATION_FAILED',
  dns: 'ACME_VALIDATION_FAILED',
  externalAccountRequired: 'ACME_EXTERNAL_ACCOUNT_REQUIRED',
  incorrectResponse: 'ACME_VALIDATION_FAILED',
  invalidContact: 'ACME_INVALID_CONTACT',
  invalidProfile: 'ACME_INVALID_PROFILE',
  malformed: 'ACME_MALFORMED',
  orderNotReady: 'ACME_ORDER_NOT_READY',
  rateLimited: 'ACME_RATE_LIMITED',
  rejectedIdentifier: 'ACME_REJECTED_IDENTIFIER',
  serverInternal: 'ACME_SERVER',
  tls: 'ACME_VALIDATION_FAILED',
  unauthorized: 'ACME_UNAUTHORIZED',
  unsupportedContact: 'ACME_INVALID_CONTACT',
  unsupportedIdentifier: 'ACME_UNSUPPORTED_IDENTIFIER',
  userActionRequired: 'ACME_USER_ACTION_REQUIRED',
};

function codeFor(status: number, type: string | undefined, empty: boolean): AcmeErrorCode {
  if (status === 429) return 'ACME_RATE_LIMITED';
  if (status >= 500) return 'ACME_SERVER';
  if (status >= 300 && status < 400) return 'ACME_REDIRECTED';
  // For what they do not have (any more), Boulder says `malformed` with 404, Pebble 404 alone. A proxy's 404 has a
  // page with it.
  if (status === 404 && (type === 'malformed' || empty)) return 'ACME_NOT_FOUND';
  if (type === undefined || type === '') return 'ACME_UNEXPECTED_STATUS';
  if (Object.hasOwn(codeOfType, type)) return codeOfType[type] ?? 'ACME_REFUSED';
  return status === 409 ? 'ACME_CONFLICT' : 'ACME_REFUSED';
}

/** The error for an answer that is none of those that were wanted. `doing` reads like "to make an order". */
export function errorOfAnswer(
  doing: string,
  host: string,
  answer: {
    status: number;
    problem: AcmeProblem | undefined;
    retryAfterMs: number | undefined;
    retryAtMs: number | undefined;
    /** Whether it had no body. */
    empty: boolean;
  },
): AcmeError {
  const code = codeFor(answer.status, answer.problem?.type, answer.empty);
  const said = answer.problem === undefined ? '' : `: ${problemText(answer.problem)}`;
  return new AcmeError(code, `The ACME server ${host} answered ${answer.status} ${doing}${said}`, answer);
}

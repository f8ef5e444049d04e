import { isForbiddenAddressError } from './checked-lookup.ts';

/** Why an upstream gave no answer, and what the client is told. */
export interface UpstreamFailure {
  readonly status: 408 | 502 | 503 | 504;
  /** A stable word for logs and metrics. */
  readonly code: string;
  /** For the log; never sent to the client. */
  readonly message: string;
  /** The upstream's certificate did not verify: its owner should know. */
  readonly verification: boolean;
}

const verificationCode =
  /^(?:ERR_TLS_CERT_|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|ERROR_IN_CERT_)/;

/** Advice for who starts Node's program, which is not who reads this. */
const hintOfNode = /; if the root CA is installed locally, try running Node\.js with --use-system-ca$/;

/** The failure that an error on a connection to an upstream stands for. */
export function failureOf(error: Error & { code?: unknown }): UpstreamFailure {
  const code = typeof error.code === 'string' ? error.code : 'EDGE_UPSTREAM_FAILED';
  const status = isForbiddenAddressError(error) ? 503 : 502;
  return {
    status,
    code,
    message: error.message.replace(hintOfNode, ''),
    verification: verificationCode.test(code),
  };
}

/** A time-out of the edge's own. */
export function timeoutFailure(what: 'connect' | 'read' | 'client'): UpstreamFailure {
  if (what === 'client') {
    return {
      status: 408,
      code: 'EDGE_CLIENT_TIMEOUT',
      message: 'the client sent no more of its body',
      verification: false,
    };
  }
  const message = what === 'connect' ? 'the connection was not made in time' : 'no answer in time';
  return { status: 504, code: `EDGE_UPSTREAM_${what.toUpperCase()}_TIMEOUT`, message, verification: false };
}

/** An answer that was begun, and whose rest will not come. */
export class BrokenAnswer extends Error {
  readonly failure: UpstreamFailure;

  constructor(failure: UpstreamFailure) {
    super(failure.message);
    this.failure = failure;
  }
}

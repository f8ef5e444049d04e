import { type Clock, rfc3339, systemClock } from '../core/clock.ts';
import { type Logger, silentLogger } from '../core/logger.ts';
import type { AcmeDirectory } from './directory.ts';
import { createDirectorySource } from './directory-source.ts';
import { createEndpointGates, type EndpointGates, type EndpointGatesOptions } from './endpoint-gates.ts';
import { AcmeError } from './errors.ts';
import { failureOf } from './failed-answer.ts';
import { gatedExchange } from './gated-exchange.ts';
import { createJwsSigner, type ExternalAccountBinding } from './jws-signer.ts';
import { createNoncePool } from './nonces.ts';
import { isCertificate, splitChain } from './pem-chain.ts';
import { parseRetryAfter } from './retry-after.ts';
import { type AcmeAnswer, type AcmeRequestFacts, createTransport } from './transport.ts';

export interface AcmeOptions {
  readonly directoryUrl: string;
  /** ECDSA P-256, P-384, P-521 or RSA, as PEM. */
  readonly accountKeyPem: string;
  /** The account's URL, where it is known from before. */
  readonly accountUrl?: string | undefined;
  /** Certificates to trust instead of the system's. */
  readonly caBundlePem?: string | undefined;
  readonly skipTlsVerify?: boolean | undefined;
  readonly externalAccountBinding?: ExternalAccountBinding | undefined;
  readonly userAgent?: string | undefined;
  /** The deadline of one HTTP exchange; 15 s by default. */
  readonly requestTimeoutMs?: number | undefined;
  readonly clock?: Clock | undefined;
  readonly logger?: Logger | undefined;
  /** Told of every HTTP exchange, for metrics. */
  readonly onRequest?: ((facts: AcmeRequestFacts) => void) | undefined;
  /** Shared by all connections of one account; this connection's own where absent. */
  readonly gates?: EndpointGates | undefined;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** A request that is not signed. */
export interface PlainRequest extends CallOptions {
  readonly url: string;
  /** As a metric label, and the endpoint that a rate limit is for: `create_order`. */
  readonly action: string;
  /** For messages: "to make an order". */
  readonly doing: string;
}

/** A signed request. */
export interface SignedRequest extends PlainRequest {
  /** Null for a POST-as-GET. */
  readonly payload: object | null;
  /** Statuses that are a success; 200 by default. */
  readonly wanted?: readonly number[] | undefined;
  /** Signed with the public key instead of the account URL: newAccount alone. */
  readonly withKey?: boolean | undefined;
  readonly accept?: string | undefined;
  /** The DNS names and addresses it is about: a rate limit of theirs does not hold up other requests. */
  readonly names?: readonly string[] | undefined;
}

/** A wanted answer. */
export interface SignedAnswer extends AcmeAnswer {
  readonly retryAfterMs: number | undefined;
  /** The body as JSON; throws ACME_BAD_ANSWER where it is none. */
  json(): unknown;
}

/**
 * A connection to one ACME server for one account: signing, nonces, directory, HTTP. The steps of RFC 8555 are
 * functions over it, in the files beside this one. Safe for use by many callers at once.
 *
 * In the long run a request is one round trip: nonces come from the answers before (a new one is fetched only where
 * more requests are in flight than answers have come), connections are kept alive, the directory is kept for
 * an hour. A refused nonce is replaced and the request sent again at once, up to 24 times in a row.
 *
 * After a 429, or a 503 with Retry-After, no further request goes to that endpoint before the time that the server
 * named (5 s, doubled up to 15 minutes, where a 429 names none): they are refused here, by the same error. Then one goes
 * out, and as the server takes them, more. A limit that the server puts on the names of one order alone holds up no other.
 */
export interface AcmeConnection {
  readonly directoryUrl: string;
  /** host:port of the server, for messages. */
  readonly host: string;
  /** Set by `registerAccount`, or given at the start. */
  accountUrl: string | undefined;
  /** RFC 7638, of the account key. */
  readonly thumbprint: string;
  readonly clock: Clock;
  directory(options?: CallOptions): Promise<AcmeDirectory>;
  /**
   * Sends a signed request and gives its answer. Every other status is an AcmeError. The URL must be of an origin
   * that the directory, or an answer of the server, has named: URLs come from objects that users can write.
   */
  post(request: SignedRequest): Promise<SignedAnswer>;
  /** The same for a request that is not signed; 200 alone is a success. */
  get(request: PlainRequest): Promise<SignedAnswer>;
  /** The value of `externalAccountBinding` for a newAccount request, where one is configured. */
  bindExternalAccount(newAccountUrl: string): object | undefined;
  /** Takes note of URLs that an answer of the server named. */
  trust(urls: readonly (string | undefined)[]): void;
  /** Closes idle connections. */
  close(): void;
}

/** At 50 % refused nonces, one request in 16 million still fails. */
const mostBadNonces = 24;

/**
 * Opens a connection; nothing is sent yet. Throws ACME_INVALID_URL, ACME_UNSUPPORTED_KEY or ACME_INVALID_CA_BUNDLE
 * where an option cannot work.
 */
export function openAcme(options: AcmeOptions): AcmeConnection {
  const clock = options.clock ?? systemClock;
  const logger = options.logger ?? silentLogger;
  const directoryUrl = parseDirectoryUrl(options.directoryUrl);
  const signer = createJwsSigner(options.directoryUrl, options.accountKeyPem);
  const nonces = createNoncePool();
  const origins = new Set([directoryUrl.origin]);
  const transport = createTransport({
    clock,
    userAgent: options.userAgent ?? 'postern',
    requestTimeoutMs: options.requestTimeoutMs ?? 15_000,
    caBundlePem: checkedCaBundle(options.caBundlePem),
    skipTlsVerify: options.skipTlsVerify,
    onRequest(facts) {
      logger.debug('ACME request', { ...facts });
      options.onRequest?.(facts);
    },
  });
  const gates = options.gates ?? createEndpointGates({ clock, onClose: tellClosing(logger) });
  const { host } = directoryUrl;
  const exchange = gatedExchange({ transport, gates, host, clock });
  const failure = (answer: AcmeAnswer, doing: string): AcmeError =>
    failureOf(answer, doing, host, clock.now());
  const directories = createDirectorySource({ url: directoryUrl, exchange, clock, nonces });
  let trusted: AcmeDirectory | undefined;

  function trust(urls: readonly (string | undefined)[]): void {
    for (const url of urls) if (url !== undefined && URL.canParse(url)) origins.add(new URL(url).origin);
  }

  async function directory(call: CallOptions = {}): Promise<AcmeDirectory> {
    const found = await directories.get(call.signal);
    // Every request asks for it; it is another object only where it was read again.
    if (found === trusted) return found;
    trusted = found;
    trust([
      found.newNonce,
      found.newAccount,
      found.newOrder,
      found.revokeCert,
      found.keyChange,
      found.renewalInfo,
    ]);
    return found;
  }

  async function freshNonce(signal: AbortSignal | undefined): Promise<string> {
    const { newNonce } = await directory({ signal });
    const answer = await exchange({
      method: 'HEAD',
      url: new URL(newNonce),
      action: 'get_nonce',
      doing: 'to give a nonce',
      signal,
    });
    nonces.put(headerOf(answer, 'replay-nonce'));
    const nonce = nonces.take();
    if (nonce !== undefined) return nonce;
    if (answer.status >= 400) throw failure(answer, 'to give a nonce');
    throw new AcmeError('ACME_BAD_ANSWER', `The ACME server ${host} gave no Replay-Nonce`);
  }

  async function get(request: PlainRequest): Promise<SignedAnswer> {
    const { action, signal } = request;
    await directory({ signal });
    const url = parseResourceUrl(request.url);
    const answer = await exchange({ method: 'GET', url, action, doing: request.doing, signal });
    if (answer.status === 200) return wantedAnswer(answer, request.doing);
    throw failure(answer, request.doing);
  }

  async function post(request: SignedRequest): Promise<SignedAnswer> {
    const { signal } = request;
    // The directory says which origins are the server's.
    await directory({ signal });
    const url = parseResourceUrl(request.url);
    const accountUrl = request.withKey === true ? undefined : connection.accountUrl;
    if (request.withKey !== true && accountUrl === undefined) {
      throw new AcmeError('ACME_ACCOUNT_UNKNOWN', 'The ACME account is not registered yet');
    }
    for (let refused = 0; ; refused += 1) {
      const nonce = nonces.take() ?? (await freshNonce(signal));
      const answer = await exchange({
        method: 'POST',
        url,
        action: request.action,
        doing: request.doing,
        names: request.names,
        headers: { 'content-type': 'application/jose+json', accept: request.accept ?? 'application/json' },
        body: signer.sign(request.url, request.payload, nonce, accountUrl),
        signal,
      });
      nonces.put(headerOf(answer, 'replay-nonce'));
      if ((request.wanted ?? [200]).includes(answer.status)) return wantedAnswer(answer, request.doing);
      const error = failure(answer, request.doing);
      if (error.code === 'ACME_BAD_NONCE' && answer.resent) {
        // The nonce was used up: the request got through the first time, and only its answer was lost.
        throw new AcmeError('ACME_UNREACHABLE', `The ACME server ${host} closed the connection`);
      }
      if (error.code !== 'ACME_BAD_NONCE' || refused === mostBadNonces) {
        // An endpoint that has moved is found again by a new directory.
        if (answer.status === 404 || answer.status === 405) directories.forget();
        throw error;
      }
    }
  }

  function wantedAnswer(answer: AcmeAnswer, doing: string): SignedAnswer {
    trust([headerOf(answer, 'location')]);
    return {
      ...answer,
      retryAfterMs: parseRetryAfter(answer.headers['retry-after'], clock.now()),
      json() {
        try {
          return JSON.parse(answer.body.toString('utf8')) as unknown;
        } catch {
          const what = `The ACME server ${host} answered ${answer.status} ${doing}, but not with JSON`;
          throw new AcmeError('ACME_BAD_ANSWER', what, { status: answer.status });
        }
      },
    };
  }

  function parseResourceUrl(text: string): URL {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url !== undefined && origins.has(url.origin)) return url;
    const where = url === undefined ? 'no URL' : `of ${url.origin}`;
    throw new AcmeError(
      'ACME_INVALID_URL',
      `A resource URL is ${where}; it must be one of the ACME server ${directoryUrl.origin}`,
    );
  }

  const connection: AcmeConnection = {
    directoryUrl: options.directoryUrl,
    host: host,
    accountUrl: options.accountUrl,
    thumbprint: signer.thumbprint,
    clock,
    directory,
    post,
    get,
    bindExternalAccount(newAccountUrl) {
      const binding = options.externalAccountBinding;
      return binding === undefined ? undefined : signer.bind(newAccountUrl, binding);
    },
    trust,
    close: () => transport.close(),
  };
  return connection;
}

/** Writes a line for each time a server asks to be left alone. */
export function tellClosing(logger: Logger): EndpointGatesOptions['onClose'] {
  return (action, untilMs, { message }) =>
    logger.warn('the ACME server asks to wait', { action, until: rfc3339(untilMs), said: message });
}

function parseDirectoryUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && (url.protocol === 'https:' || url.protocol === 'http:')) return url;
  throw new AcmeError('ACME_INVALID_URL', `spec.acme.server: ${JSON.stringify(text)} is no https URL`);
}

function checkedCaBundle(pem: string | undefined): string | undefined {
  if (pem === undefined) return undefined;
  const certificates = splitChain(pem);
  if (certificates.length > 0 && certificates.every(isCertificate)) return pem;
  throw new AcmeError(
    'ACME_INVALID_CA_BUNDLE',
    'spec.acme.caBundle must hold PEM certificates and nothing broken, in base64',
  );
}

function headerOf(answer: AcmeAnswer, name: 'replay-nonce' | 'location'): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

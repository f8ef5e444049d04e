import http from 'node:http';
import https from 'node:https';
import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { AcmeError } from './errors.ts';
import { quotable } from './problem.ts';

/** One HTTP exchange with an ACME server. */
export interface AcmeExchange {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: URL;
  /** The step it belongs to, as a metric label: `get_directory`, `create_order`. */
  readonly action: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The whole answer. */
export interface AcmeAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  /** Whether the request was sent twice, as the server closed the idle connection it went over first. */
  readonly resent: boolean;
}

/** What is known of a request once it is over, for metrics. */
export interface AcmeRequestFacts {
  readonly method: string;
  readonly scheme: string;
  readonly host: string;
  readonly action: string;
  /** The HTTP status, or 0 where there was no answer. */
  readonly status: number;
  readonly durationMs: number;
}

export interface TransportOptions {
  readonly clock: Clock;
  readonly userAgent: string;
  readonly requestTimeoutMs: number;
  /** Certificates to trust instead of the system's. */
  readonly caBundlePem?: string | undefined;
  readonly skipTlsVerify?: boolean | undefined;
  readonly onRequest?: ((facts: AcmeRequestFacts) => void) | undefined;
}

/**
 * HTTP for one ACME server, over connections that are kept alive. `exchange` gives any answer, whatever its
 * status; no redirect is followed. It throws ACME_UNREACHABLE, ACME_TIMEOUT after the deadline, ACME_BAD_ANSWER
 * for an answer that is cut off or too large, and the signal's own reason after the caller's abort.
 */
export interface Transport {
  exchange(request: AcmeExchange): Promise<AcmeAnswer>;
  /** Closes the idle connections. */
  close(): void;
}

/** A directory, an order of a hundred names or a chain takes a tenth of this. */
const largestAnswer = 256 * 1024;
/** CAs close idle connections after a minute or so; ours go first, so that no request meets a closing one. */
const idleMs = 30_000;

/** All requests have the same TLS settings, which Node would put into the name that it looks connections up by. */
class OneTlsAgent extends https.Agent {
  override getName({ host, port }: https.RequestOptions = {}): string {
    return `${host}:${port}`;
  }
}

export function createTransport(options: TransportOptions): Transport {
  const { clock, onRequest } = options;
  // Bursts keep their connections: a handshake costs more than a request. Idle ones go by `timeout`.
  const pool = { keepAlive: true, timeout: idleMs, maxSockets: 64, maxFreeSockets: 64 };
  const agents = {
    http: new http.Agent(pool),
    https: new OneTlsAgent({
      ...pool,
      rejectUnauthorized: options.skipTlsVerify !== true,
      ...(options.caBundlePem === undefined ? {} : { ca: options.caBundlePem }),
    }),
  };

  function once(request: AcmeExchange): Promise<{ answer: AcmeAnswer } | { staleConnection: true }> {
    const secure = request.url.protocol === 'https:';
    const startedAt = clock.now();
    return new Promise((resolve, reject) => {
      const sent = (secure ? https : http).request(request.url, {
        agent: secure ? agents.https : agents.http,
        method: request.method,
        headers: { 'user-agent': options.userAgent, ...request.headers },
      });
      let over = false;
      let answered = false;
      const end = (status: number): void => {
        over = true;
        cancelDeadline();
        request.signal?.removeEventListener('abort', onAbort);
        onRequest?.({
          method: request.method,
          scheme: secure ? 'https' : 'http',
          host: request.url.host,
          action: request.action,
          status,
          durationMs: Math.max(0, clock.now() - startedAt),
        });
      };
      const fail = (error: unknown, status = 0): void => {
        if (over) return;
        end(status);
        sent.destroy();
        reject(error instanceof Error ? error : new Error(messageOf(error)));
      };
      const onAbort = (): void => fail(request.signal?.reason);
      const cancelDeadline = clock.after(options.requestTimeoutMs, () => {
        const seconds = options.requestTimeoutMs / 1_000;
        fail(
          new AcmeError(
            'ACME_TIMEOUT',
            `The ACME server ${request.url.host} did not answer within ${seconds} s`,
          ),
        );
      });
      request.signal?.addEventListener('abort', onAbort, { once: true });
      sent.on('error', error => {
        if (over) return;
        // The server closed an idle connection just as it was used again: nothing was answered to this request.
        if (sent.reusedSocket && !answered && (error as NodeJS.ErrnoException).code === 'ECONNRESET') {
          end(0);
          resolve({ staleConnection: true });
          return;
        }
        fail(unreachable(request.url, error));
      });
      sent.on('response', response => {
        answered = true;
        const status = response.statusCode ?? 0;
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          chunks.push(chunk);
          if (size > largestAnswer) {
            fail(
              badAnswer(request.url, status, `an answer of more than ${largestAnswer / 1024} KiB`),
              status,
            );
          }
        });
        response.on('error', cause => fail(badAnswer(request.url, status, 'half an answer', cause), status));
        response.on('aborted', () => fail(badAnswer(request.url, status, 'half an answer'), status));
        response.on('end', () => {
          if (over) return;
          end(status);
          resolve({
            answer: { status, headers: response.headers, body: Buffer.concat(chunks), resent: false },
          });
        });
      });
      sent.end(request.body);
    });
  }

  return {
    async exchange(request) {
      request.signal?.throwIfAborted();
      const first = await once(request);
      if ('answer' in first) return first.answer;
      // The other idle connections are as old.
      for (const agent of [agents.http, agents.https]) {
        for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
      }
      const second = await once(request);
      if ('answer' in second) return { ...second.answer, resent: true };
      throw unreachable(request.url, new Error('the connection was closed'));
    },
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

function badAnswer(url: URL, status: number, what: string, cause?: unknown): AcmeError {
  return new AcmeError('ACME_BAD_ANSWER', `The ACME server ${url.host} gave ${what}`, { status, cause });
}

function unreachable(url: URL, cause: Error): AcmeError {
  const { code } = cause as NodeJS.ErrnoException;
  const untrusted = code !== undefined && /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS/.test(code);
  const fix = untrusted ? "; put its root into the issuer's spec.acme.caBundle if it is a private CA" : '';
  const reason = quotable(cause.message === '' ? (code ?? 'unknown error') : cause.message, 200);
  return new AcmeError('ACME_UNREACHABLE', `The ACME server ${url.host} cannot be reached: ${reason}${fix}`, {
    cause,
  });
}

import { type Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { messageOf } from '../../core/errors.ts';
import type { Endpoint } from '../compile/table.ts';
import { failureOf, timeoutFailure, type UpstreamFailure } from './failure.ts';

/** A request to be sent to the first of some endpoints that takes it. */
export interface ExchangeRequest {
  /** In the order in which they are tried. */
  readonly targets: readonly Endpoint[];
  readonly agent: Agent;
  readonly method: string;
  readonly path: string;
  /** Names and values in turn; nothing is added to them. */
  readonly headers: readonly string[];
  readonly hasBody: boolean;
  readonly connectTimeoutMs: number;
  /** The longest silence, in either direction. */
  readonly idleTimeoutMs: number;
}

/** What happens in an exchange. Exactly one of the last three is called, once, unless it is aborted. */
export interface ExchangeEvents {
  /** The connection stands: the body may be sent. Not called where there is none. */
  connected(upstream: ClientRequest): void;
  /** Silence for too long while the request was being sent: whether the client is the one that is silent. */
  clientStalls(): boolean;
  response(response: IncomingMessage, target: Endpoint): void;
  upgraded(response: IncomingMessage, socket: Duplex, head: Buffer, target: Endpoint): void;
  failed(failure: UpstreamFailure, target: Endpoint | undefined): void;
}

/** An exchange under way. */
export interface Exchange {
  /** The client is gone: the upstream's connection is closed, and no event comes any more. */
  abort(): void;
}

const maxTries = 3;
const repeatable: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Sends a request and follows it to its response. Tried again, on the next endpoint, only while no connection stood, so
 * that nothing was sent; and where an idle connection turned out to be closed, for requests that are safe to repeat and
 * have no body (RFC 9110 section 9.2.2).
 */
export function openExchange(options: ExchangeRequest, events: ExchangeEvents): Exchange {
  let current: ClientRequest | undefined;
  let settled = false;

  const settle = (event: () => void): void => {
    if (settled) return;
    settled = true;
    event();
  };

  const attempt = (tries: number): void => {
    const target = options.targets[tries % Math.max(1, options.targets.length)];
    if (target === undefined) {
      const failure = {
        status: 503,
        code: 'EDGE_NO_ENDPOINT',
        message: 'no endpoint',
        verification: false,
      } as const;
      return settle(() => events.failed(failure, undefined));
    }
    let connected = false;
    let upstream: ClientRequest;
    try {
      upstream = start(options, target);
    } catch (error) {
      // Node's client refuses some bytes that its server takes.
      const thrown = error instanceof Error ? error : new Error(messageOf(error));
      return settle(() => events.failed(failureOf(thrown), target));
    }
    current = upstream;

    const fail = (failure: UpstreamFailure): void => {
      if (settled || current !== upstream) return;
      current = undefined;
      upstream.destroy();
      const more = tries + 1 < maxTries && !failure.verification;
      const anotherEndpoint = !connected && tries + 1 < options.targets.length;
      const staleConnection =
        upstream.reusedSocket && failure.status === 502 && !options.hasBody && repeatable.has(options.method);
      if (more && (anotherEndpoint || staleConnection)) attempt(tries + 1);
      else settle(() => events.failed(failure, target));
    };

    upstream.on('socket', socket => {
      const established = 'encrypted' in socket ? 'secureConnect' : 'connect';
      const stands = (): void => {
        connected = true;
        if (options.hasBody && !settled && current === upstream) events.connected(upstream);
      };
      if (upstream.reusedSocket) return stands();
      const timer = setTimeout(() => fail(timeoutFailure('connect')), options.connectTimeoutMs);
      const forget = (): void => clearTimeout(timer);
      socket.once(established, () => {
        forget();
        stands();
      });
      upstream.once('close', forget);
    });
    upstream.setTimeout(options.idleTimeoutMs, () => {
      if (settled) upstream.destroy();
      else fail(timeoutFailure(events.clientStalls() ? 'client' : 'read'));
    });
    upstream.on('response', response => settle(() => events.response(response, target)));
    upstream.on('upgrade', (response, socket, head) =>
      settle(() => events.upgraded(response, socket, head, target)),
    );
    // After the response has begun, its own stream tells what goes wrong.
    upstream.on('error', error => fail(failureOf(error)));
    upstream.on('close', () =>
      fail(failureOf(new Error('the upstream closed the connection without an answer'))),
    );
    if (!options.hasBody) upstream.end();
  };

  attempt(0);
  return {
    abort() {
      settled = true;
      current?.destroy();
    },
  };
}

function start(options: ExchangeRequest, target: Endpoint): ClientRequest {
  const { agent, method, path, headers } = options;
  return request({
    agent,
    protocol: 'maxCachedSessions' in agent ? 'https:' : 'http:',
    host: target.address,
    port: target.port,
    method,
    path,
    headers,
    setHost: false,
  });
}

import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { KubeError } from '../errors.ts';
import type { CredentialSource, Credentials } from './credentials.ts';
import { createHttpsAgents } from './https-agents.ts';

/** A request to the API server. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the root of the API: `/api/v1/...?limit=500`. */
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What the call is about, for messages: `get secrets default/tls`. */
  readonly what: string;
}

/** An answer whose body has not been read. */
export interface ApiAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: IncomingMessage;
  /** Breaks the connection off and makes the body fail with this error. */
  readonly fail: (error: Error) => void;
  /** Moves the deadline, which is `deadlineMs` at first, to `delayMs` from now. */
  readonly extend: (delayMs: number) => void;
  /** Drops the deadline; to be called when the body is done with. */
  readonly done: () => void;
}

/** Requests to one API server, over one pool of connections. */
export interface Connection {
  /** Sends a request and gives the head of the answer, whatever its status. Throws UNAVAILABLE, UNAUTHORIZED or an AbortError. */
  send(request: ApiRequest): Promise<ApiAnswer>;
  close(): void;
}

interface ConnectionOptions {
  readonly credentials: CredentialSource;
  readonly clock: Clock;
  readonly userAgent: string;
  /** For a request and its answer, in milliseconds. */
  readonly deadlineMs: number;
  /** The most connections at once; further requests wait, within their deadline. */
  readonly maxSockets: number;
}

/** The first TCP keep-alive probe after this much silence; ten more, a second apart, and the peer is taken for dead. */
const keepAliveProbeMs = 30_000;

/** An idle connection is dropped before the API server drops it (90 s), so that no request meets a closing one. */
const idleSocketMs = 60_000;

/** The AbortError of the caller's own signal. */
export function abortErrorOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  if (reason instanceof Error && reason.name === 'AbortError') return reason;
  return new DOMException('the call was aborted', { name: 'AbortError', cause: reason });
}

function unavailable(what: string, thrown: unknown): KubeError {
  const code = (thrown as { code?: unknown } | undefined)?.code;
  const reason = messageOf(thrown) || (typeof code === 'string' ? code : 'connection failed');
  return new KubeError('KUBE_UNAVAILABLE', `${what}: the API server is out of reach: ${reason}`, {
    cause: thrown,
  });
}

/** Opens the pool; nothing is sent yet. */
export function createConnection(options: ConnectionOptions): Connection {
  const { credentials, clock, deadlineMs } = options;
  const pool = {
    keepAlive: true,
    keepAliveMsecs: keepAliveProbeMs,
    maxSockets: options.maxSockets,
    // Bursts keep their connections: a handshake costs more than a request. Idle ones go by `timeout`.
    maxFreeSockets: options.maxSockets,
    timeout: idleSocketMs,
  };
  const httpsAgents = createHttpsAgents(pool);
  const httpAgent = new HttpAgent(pool);
  let closed = false;

  /** `mayRace`: whether to try once more where the server closed an idle connection as it was taken up. */
  const exchange = (
    request: ApiRequest,
    { headers, tls, proxyAgent }: Credentials,
    mayRace: boolean,
  ): Promise<ApiAnswer> =>
    new Promise((resolve, reject) => {
      const base = credentials.server();
      const secure = base.protocol === 'https:';
      // A text goes out with the head in one write; octets would take a second one.
      const body = request.body === undefined ? undefined : JSON.stringify(request.body);
      const { signal, what } = request;
      let failure: Error | undefined;
      let answer: IncomingMessage | undefined;

      const sent = (secure ? httpsRequest : httpRequest)({
        method: request.method,
        protocol: base.protocol,
        host: base.hostname.replace(/^\[(.*)\]$/, '$1'),
        port: base.port === '' ? (secure ? 443 : 80) : base.port,
        path: base.pathname.replace(/\/$/, '') + request.path,
        agent: proxyAgent ?? (secure ? httpsAgents.agentFor(tls) : httpAgent),
        auth: tls.auth,
        // Our own agent has them already: Node copies what stands here several times for each request.
        ...(proxyAgent === undefined ? {} : tls),
        headers: {
          ...headers,
          Accept: 'application/json',
          'User-Agent': options.userAgent,
          ...(body === undefined
            ? {}
            : {
                'Content-Type': request.contentType ?? 'application/json',
                'Content-Length': String(Buffer.byteLength(body)),
              }),
        },
      });

      const fail = (error: Error): void => {
        failure ??= error;
        if (answer === undefined) sent.destroy(error);
        else answer.destroy(error);
      };
      const expire = (): void =>
        fail(new KubeError('KUBE_UNAVAILABLE', `${what}: the API server did not answer in time`));
      let cancelDeadline = clock.after(deadlineMs, expire);
      const onAbort = (): void => {
        if (signal !== undefined) fail(abortErrorOf(signal));
      };
      const done = (): void => {
        cancelDeadline();
        signal?.removeEventListener('abort', onAbort);
      };
      signal?.addEventListener('abort', onAbort, { once: true });

      sent.once('socket', socket => {
        if (!sent.reusedSocket) socket.setKeepAlive(true, keepAliveProbeMs);
      });
      sent.on('error', thrown => {
        if (answer !== undefined) return; // The body fails with it.
        done();
        if (failure !== undefined) reject(failure);
        else if (mayRace && sent.reusedSocket)
          resolve(exchange(request, { headers, tls, proxyAgent }, false));
        else reject(unavailable(what, thrown));
      });
      sent.once('response', response => {
        answer = response;
        response.once('close', done);
        resolve({
          status: response.statusCode ?? 0,
          retryAfter: response.headers['retry-after'],
          body: response,
          fail,
          done,
          extend(delayMs) {
            cancelDeadline();
            cancelDeadline = clock.after(delayMs, expire);
          },
        });
      });
      sent.end(body);
    });

  /** Credentials within the deadline: a plugin may hang, or wait for somebody to type. */
  const credentialsFor = ({ what, signal }: ApiRequest): Promise<Credentials> =>
    new Promise((resolve, reject) => {
      const late = `${what}: no credentials for the API server in time: its plugin has not ended`;
      const cancel = clock.after(deadlineMs, () => reject(new KubeError('KUBE_UNAVAILABLE', late)));
      const onAbort = (): void => reject(abortErrorOf(signal ?? AbortSignal.abort()));
      signal?.addEventListener('abort', onAbort, { once: true });
      credentials
        .next()
        .then(resolve, reject)
        .finally(() => {
          cancel();
          signal?.removeEventListener('abort', onAbort);
        });
    });

  return {
    async send(request) {
      if (closed) throw new KubeError('KUBE_UNAVAILABLE', `${request.what}: the client is closed`);
      if (request.signal?.aborted === true) throw abortErrorOf(request.signal);
      const given = credentials.latest() ?? (await credentialsFor(request));
      return exchange(request, given, request.method === 'GET');
    },
    close() {
      closed = true;
      httpsAgents.destroy();
      httpAgent.destroy();
    },
  };
}

import { generateKeyPairSync } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** How a scripted server answers one request. */
export interface ScriptedReply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, unless it is a string. */
  readonly body?: unknown;
  /** `hang`: no answer. `reset`: the connection is cut. `truncate`: half of the body, then the cut. */
  readonly fault?: 'hang' | 'reset' | 'truncate';
  /** Send no Replay-Nonce. */
  readonly withoutNonce?: boolean;
}

/** What the server saw of a request. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly header: { alg?: string; kid?: string; jwk?: unknown; nonce?: string; url?: string };
  readonly payload: unknown;
}

/** An ACME-like server on loopback whose answers a test scripts by path. It checks that no nonce is used twice. */
export interface ScriptedAcme {
  readonly directoryUrl: string;
  readonly origin: string;
  /** Every request so far, in order. */
  readonly seen: SeenRequest[];
  readonly connections: () => number;
  /** Sets the answer of a path, or of all that begin with it where it ends in `*`; called once for every request to it. */
  on(path: string, reply: ScriptedReply | ((request: SeenRequest) => ScriptedReply)): void;
  /** Requests to this path so far. */
  count(path: string): number;
  /** Resolves when a request to this path has come in; counts from now. */
  arrival(path: string): Promise<void>;
  /** Refuses this many nonces that are next used. */
  refuseNonces(count: number): void;
  close(): Promise<void>;
}

/** The type and detail of a problem document, as a server sends it. */
export function problem(type: string, detail: string, more: object = {}): ScriptedReply['body'] {
  return { type: `urn:ietf:params:acme:error:${type}`, detail, ...more };
}

/** A P-256 account key. */
export function anAccountKey(namedCurve = 'P-256'): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve });
  return privateKey.export({ type: 'pkcs8', format: 'pem' });
}

function decode(part: string | undefined): unknown {
  const text = Buffer.from(part ?? '', 'base64url').toString('utf8');
  return text === '' ? null : JSON.parse(text);
}

export async function scriptedAcme(): Promise<ScriptedAcme> {
  const replies = new Map<string, (request: SeenRequest) => ScriptedReply>();
  const seen: SeenRequest[] = [];
  const arrivals: { path: string; resolve: () => void }[] = [];
  const valid = new Set<string>();
  let lastNonce = 0;
  let refusals = 0;
  let connections = 0;

  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = request.url ?? '';
      const jws = (chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString())) as Record<
        string,
        string
      >;
      const header = (decode(jws['protected']) ?? {}) as SeenRequest['header'];
      const what: SeenRequest = {
        method: request.method ?? '',
        path,
        header,
        payload: decode(jws['payload']),
      };
      seen.push(what);
      for (const arrival of arrivals.filter(waiting => waiting.path === path)) arrival.resolve();
      send(response, request.method === 'POST' && !accepts(header.nonce) ? badNonce : replyTo(what));
    });
  });
  server.on('connection', (_socket: Socket) => {
    connections += 1;
  });

  const badNonce: ScriptedReply = {
    status: 400,
    body: problem('badNonce', 'JWS has an invalid anti-replay nonce'),
  };

  function accepts(nonce: string | undefined): boolean {
    const known = nonce !== undefined && valid.delete(nonce);
    if (refusals === 0) return known;
    refusals -= 1;
    return false;
  }

  function replyTo(request: SeenRequest): ScriptedReply {
    const [, ofAll] =
      [...replies].find(([path]) => path.endsWith('*') && request.path.startsWith(path.slice(0, -1))) ?? [];
    return (
      (replies.get(request.path) ?? ofAll)?.(request) ?? {
        status: 404,
        body: problem('malformed', 'no such resource'),
      }
    );
  }

  function send(response: http.ServerResponse, reply: ScriptedReply): void {
    if (reply.fault === 'hang') return;
    if (reply.fault === 'reset') {
      response.socket?.resetAndDestroy();
      return;
    }
    const status = reply.status ?? 200;
    const body = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body ?? {});
    if (reply.withoutNonce !== true) {
      const nonce = `nonce-${(lastNonce += 1)}`;
      valid.add(nonce);
      response.setHeader('replay-nonce', nonce);
    }
    response.writeHead(status, {
      'content-type': status >= 400 ? 'application/problem+json' : 'application/json',
      'content-length': Buffer.byteLength(body),
      ...reply.headers,
    });
    if (reply.fault === 'truncate') {
      response.write(body.slice(0, body.length / 2), () => response.socket?.destroy());
      return;
    }
    response.end(body);
  }

  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  function on(path: string, reply: ScriptedReply | ((request: SeenRequest) => ScriptedReply)): void {
    replies.set(path, typeof reply === 'function' ? reply : () => reply);
  }
  on('/directory', {
    body: { newNonce: `${origin}/nonce`, newAccount: `${origin}/account`, newOrder: `${origin}/order` },
    withoutNonce: true,
  });
  on('/nonce', { status: 204, body: '' });
  on('/account', { status: 201, headers: { location: `${origin}/account/1` }, body: { status: 'valid' } });

  return {
    directoryUrl: `${origin}/directory`,
    origin,
    seen,
    connections: () => connections,
    on,
    count: path => seen.filter(request => request.path === path).length,
    arrival: path =>
      new Promise(resolve => {
        arrivals.push({ path, resolve });
      }),
    refuseNonces(count) {
      refusals = count;
    },
    close() {
      server.closeAllConnections();
      return new Promise(resolve => {
        server.close(() => resolve());
      });
    },
  };
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeObject } from '../../api/meta.ts';

/** A request as the server got it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** What the server does with one request. */
export type Reply = (request: SeenRequest, response: ServerResponse) => void;

/** An API server that does what it is told, request by request. */
export interface ScriptedServer {
  readonly port: number;
  readonly url: string;
  /** All requests, in the order they came. */
  readonly requests: readonly SeenRequest[];
  /** The folder of its kubeconfigs, removed at the end. */
  readonly folder: string;
  /** Replies to the next requests, one each. */
  reply(...replies: Reply[]): void;
  /** Replies to every request for which no other is left; by default it never answers. */
  always(reply: Reply): void;
  /** Resolves with the next request that arrives, or has arrived since the last call. */
  next(): Promise<SeenRequest>;
  /** How many connections were made, and how many are open. */
  readonly accepted: number;
  readonly open: number;
  /** The largest number of requests that waited for an answer at once. */
  readonly mostAtOnce: number;
  /** Cuts all connections; the port stays open. */
  cut(): void;
  /** Stops listening and cuts all connections; `listen` takes the same port again. */
  down(): Promise<void>;
  up(): Promise<void>;
  /** Writes a kubeconfig and gives its path. */
  kubeconfig(user?: object, cluster?: object): string;
  close(): Promise<void>;
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? undefined : JSON.parse(text);
}

export async function startScriptedServer(
  tls?: Parameters<typeof createTlsServer>[0],
): Promise<ScriptedServer> {
  const requests: SeenRequest[] = [];
  const replies: Reply[] = [];
  const sockets = new Set<Socket>();
  const folder = mkdtempSync(join(tmpdir(), 'postern-scripted-'));
  let fallback: Reply = () => {};
  let taken = 0;
  let wake = (): void => {};
  let accepted = 0;
  let atOnce = 0;
  let mostAtOnce = 0;
  let kubeconfigs = 0;

  const onRequest = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    mostAtOnce = Math.max(mostAtOnce, ++atOnce);
    response.once('close', () => atOnce--);
    const url = new URL(request.url ?? '', 'http://server');
    const seen: SeenRequest = {
      method: request.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
      body: await readBody(request),
    };
    requests.push(seen);
    (replies.shift() ?? fallback)(seen, response);
    wake();
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    onRequest(request, response).catch(() => response.destroy());
  };
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  // One that closes idle connections by itself would make the tests race.
  server.keepAliveTimeout = 0;
  server.on('connection', (socket: Socket) => {
    accepted++;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  const listen = (port: number): Promise<void> =>
    new Promise(resolve => {
      server.listen(port, '127.0.0.1', resolve);
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const down = (): Promise<void> =>
    new Promise(resolve => {
      server.close(() => resolve());
      cut();
    });

  return {
    port,
    url,
    folder,
    requests,
    reply: (...more) => void replies.push(...more),
    always(reply) {
      fallback = reply;
    },
    async next() {
      for (;;) {
        const request = requests[taken];
        if (request !== undefined) {
          taken++;
          return request;
        }
        await new Promise<void>(resolve => {
          wake = resolve;
        });
      }
    },
    get accepted() {
      return accepted;
    },
    get open() {
      return sockets.size;
    },
    get mostAtOnce() {
      return mostAtOnce;
    },
    cut,
    down,
    up: () => listen(port),
    kubeconfig(
      user = { token: 'letmein' },
      cluster = tls === undefined ? { 'insecure-skip-tls-verify': true } : {},
    ) {
      const path = join(folder, `kubeconfig-${++kubeconfigs}`);
      const config = {
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'scripted', cluster: { server: url, ...cluster } }],
        users: [{ name: 'tester', user }],
        contexts: [{ name: 'main', context: { cluster: 'scripted', user: 'tester' } }],
        'current-context': 'main',
      };
      writeFileSync(path, JSON.stringify(config));
      return path;
    },
    async close() {
      if (server.listening) await down();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Answers with JSON. */
export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Reply {
  return (_, response) => {
    response.writeHead(status, { 'Content-Type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
}

/** Answers with a `metav1.Status` of a failure. */
export function failure(code: number, reason: string, headers: Record<string, string> = {}): Reply {
  return json(statusObject(code, reason), code, headers);
}

export function statusObject(code: number, reason: string): Record<string, unknown> {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    message: `scripted ${reason}`,
    reason,
    code,
  };
}

/** Answers with a list, as the API server does: without apiVersion and kind in the items. */
export function list(items: readonly KubeObject[], resourceVersion: string, next?: string): Reply {
  return json({
    kind: 'List',
    apiVersion: 'v1',
    metadata: { resourceVersion, ...(next === undefined ? {} : { continue: next }) },
    items: items.map(({ metadata, ...rest }) => ({
      ...rest,
      metadata,
      apiVersion: undefined,
      kind: undefined,
    })),
  });
}

/** One line of a watch. */
export function line(type: string, object: object): string {
  return `${JSON.stringify({ type, object })}\n`;
}

export function bookmark(resourceVersion: string): string {
  return line('BOOKMARK', { kind: 'ConfigMap', apiVersion: 'v1', metadata: { resourceVersion } });
}

/** Answers with the begin of a watch and leaves it open. */
export function stream(...chunks: readonly (string | Buffer)[]): Reply {
  return (_, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.flushHeaders();
    for (const chunk of chunks) response.write(chunk);
  };
}

/** Answers with a watch and ends it cleanly. */
export function endedStream(...chunks: readonly (string | Buffer)[]): Reply {
  return (request, response) => {
    stream(...chunks)(request, response);
    response.end();
  };
}

/** Cuts the connection instead of an answer. */
export const hangUp: Reply = (_, response) => void response.socket?.destroy();

/** A ConfigMap as the API server has it. */
export function aConfigMap(
  name: string,
  resourceVersion: string,
  data: Record<string, string> = {},
): KubeObject & {
  data: Record<string, string>;
} {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'default', name, uid: `uid-of-${name}`, resourceVersion },
    data,
  };
}

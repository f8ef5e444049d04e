import { readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { startFaultListener } from './fault-listener.ts';
import { kubeconfigFor } from './kubeconfig.ts';
import { createTestAuthority } from './test-authority.ts';

/** A request to the API server. */
export interface KubeRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly isWatch: boolean;
  /** Whether it changes something. Events and Leases do not count: they are no state that matters. */
  readonly isWrite: boolean;
}

/** A write that has gone through the proxy. */
export interface KubeWrite extends KubeRequest {
  readonly atMs: number;
  /** What the client got; undefined while it waits, and where it got nothing. */
  readonly status: number | undefined;
}

/** What is done with a request; undefined: it is passed on, and its answer back. */
export type KubeFault = (request: KubeRequest, before: readonly KubeRequest[]) => KubeAnswer | undefined;

/** An answer of the proxy's own; the API server never sees the request. */
export interface KubeAnswer {
  readonly status: number;
  readonly reason: string;
  readonly message?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An HTTPS proxy in front of an API server, whose clients meet faults as they are scripted. */
export interface KubeFaultProxy {
  readonly url: string;
  /** Writes a kubeconfig with the credentials of another, a token, that leads through the proxy. Gives its path. */
  kubeconfigThrough(kubeconfig: string): Promise<string>;
  /** Every write so far, in the order in which they came. */
  readonly writes: readonly KubeWrite[];
  /** Watches that are open. */
  readonly openWatches: number;
  /** From now on this is asked about each request; empties the writes. */
  script(fault?: KubeFault): void;
  /** Called with each write that the API server has answered, before the client has the answer, which waits. */
  onWritten: ((write: KubeWrite) => Promise<void>) | undefined;
  /** Resets the connections of all watches. Gives how many there were. */
  cutWatches(): number;
  /** Tells all watches, in the stream, that their version is too old, as an API server does (410, reason Expired). */
  expireWatches(): number;
  /** Refuses connections, and resets those there are. */
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  stop(): Promise<void>;
}

/** Answers the first request of each method and path that `meets`. */
export function firstOfEach(meets: (request: KubeRequest) => boolean, answer: KubeAnswer): KubeFault {
  return (request, before) => {
    const isSame = (other: KubeRequest) => other.method === request.method && other.path === request.path;
    return meets(request) && !before.some(isSame) ? answer : undefined;
  };
}

/** 410, as an answer to a watch. */
export const gone: KubeAnswer = {
  status: 410,
  reason: 'Expired',
  message: 'too old resource version: 1 (2)',
};

/** Starts a proxy in front of a cluster. */
export async function startKubeFaultProxy(
  cluster: { readonly url: string; readonly caPem: string },
  host: string,
): Promise<KubeFaultProxy> {
  const target = new URL(cluster.url);
  const agent = new Agent({ keepAlive: true, ca: cluster.caPem, maxSockets: 256 });
  const authority = await createTestAuthority('e2e API fault proxy');
  const identity = await authority.issue({ commonName: 'kube-fault-proxy', ipAddresses: [host] });
  const writes: KubeWrite[] = [];
  const watches = new Set<ServerResponse>();
  let fault: KubeFault | undefined;
  let seen: KubeRequest[] = [];

  /** Passes a request on. Gives the server's answer as soon as it begins. */
  const ask = (message: IncomingMessage): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const { connection: _connection, ...headers } = message.headers;
      const options = {
        agent,
        host: target.hostname,
        port: target.port,
        servername: 'kubernetes',
        method: message.method,
        path: message.url,
        headers: { ...headers, host: target.host },
      };
      const sent = httpsRequest(options, resolve);
      sent.on('error', reject);
      message.pipe(sent);
    });

  const forward = async (
    message: IncomingMessage,
    response: ServerResponse,
    request: KubeRequest,
  ): Promise<void> => {
    const at = request.isWrite ? writes.push({ ...request, atMs: Date.now(), status: undefined }) - 1 : -1;
    const answer = await ask(message);
    if (request.isWrite) {
      const write = { ...request, atMs: Date.now(), status: answer.statusCode };
      writes[at] = write;
      await proxy.onWritten?.(write);
    }
    const { connection: _own, 'transfer-encoding': _coding, ...answered } = answer.headers;
    response.writeHead(answer.statusCode ?? 0, answered);
    if (request.isWatch && answer.statusCode === 200) {
      response.flushHeaders();
      watches.add(response);
      response.once('close', () => {
        watches.delete(response);
        answer.destroy();
      });
    }
    response.on('error', () => {}); // what comes after the end of an expired watch
    answer.on('error', () => response.destroy());
    answer.pipe(response);
  };

  const listener = await startFaultListener({
    host,
    identity,
    async answer(message, response) {
      const request = requestOf(message);
      const own = fault?.(request, seen);
      seen.push(request);
      if (own === undefined) return forward(message, response, request);
      message.resume();
      if (request.isWrite) writes.push({ ...request, atMs: Date.now(), status: own.status });
      response.writeHead(own.status, { 'content-type': 'application/json', ...own.headers });
      response.end(statusText(own));
    },
  });

  const proxy: KubeFaultProxy = {
    url: `https://${listener.address}`,
    async kubeconfigThrough(kubeconfig) {
      const config = JSON.parse(await readFile(kubeconfig, 'utf8')) as {
        readonly users: readonly { readonly user: { readonly token?: string } }[];
      };
      const token = config.users[0]?.user.token;
      if (token === undefined) throw new Error(`${kubeconfig} holds no token`);
      const file = `${kubeconfig}.through-proxy`;
      await writeFile(file, kubeconfigFor(`https://${listener.address}`, authority.caPem, { token }), {
        mode: 0o600,
      });
      return file;
    },
    writes,
    get openWatches() {
      return watches.size;
    },
    script(wanted) {
      fault = wanted;
      seen = [];
      writes.length = 0;
    },
    onWritten: undefined,
    cutWatches() {
      const count = watches.size;
      for (const watch of watches) watch.socket?.destroy();
      return count;
    },
    expireWatches() {
      const count = watches.size;
      for (const watch of watches) watch.end(`{"type":"ERROR","object":${statusText(gone)}}\n`);
      return count;
    },
    goAway: () => listener.goAway(),
    comeBack: () => listener.comeBack(),
    async stop() {
      await listener.stop();
      agent.destroy();
    },
  };
  return proxy;
}

function requestOf(message: IncomingMessage): KubeRequest {
  const { pathname, searchParams } = new URL(message.url ?? '/', 'https://api');
  const method = message.method ?? '';
  const isAside = /\/(?:events|leases)(?:\/|$)/.test(pathname);
  return {
    method,
    path: pathname,
    isWatch: method === 'GET' && ['1', 'true'].includes(searchParams.get('watch') ?? ''),
    isWrite: method !== 'GET' && method !== 'HEAD' && !isAside,
  };
}

function statusText({ status, reason, message = reason }: KubeAnswer): string {
  return JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    code: status,
  });
}

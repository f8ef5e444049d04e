import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { Identity } from '../harness/test-authority.ts';
import { edgeAddress } from '../netns.ts';
import type { SeenRequest } from './reporting-upstream.ts';

/** One request to the edge. */
export interface Question {
  readonly host: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  /**
   * Over TLS, on a connection of its own: what is trusted, the name in SNI (default: the host), the client's certificate, and
   * the highest version that it speaks.
   */
  readonly tls?: {
    readonly ca: string;
    readonly sni?: string;
    readonly client?: Identity | undefined;
    readonly maxVersion?: 'TLSv1.2';
  };
  /** The address of the edge; default: that of the first place. */
  readonly edge?: string;
  /** The address that it is asked from. */
  readonly from?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: string;
  readonly certificate: PeerCertificate | undefined;
  /** What the upstream got, where it is one that reports. */
  seen(): SeenRequest;
}

/** Plain connections are kept, by the address that they come from. */
const agents = new Map<string, Agent>();

/** Sends a request by HTTP/1.1. Rejects where the connection fails, or the certificate is not the host's. */
export async function ask(question: Question): Promise<Answer> {
  const { host, path = '/', method = 'GET', headers = {}, body, tls, edge = edgeAddress, from } = question;
  const common = {
    host: edge,
    path,
    method,
    headers: { host, ...headers } as Record<string, string>,
    signal: AbortSignal.timeout(30_000),
    ...(from !== undefined && { localAddress: from }),
  };
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent =
      tls === undefined
        ? request({ ...common, port: 80, agent: agentOf(from ?? '') })
        : secureRequest({
            ...common,
            port: 443,
            agent: false,
            ca: tls.ca,
            servername: tls.sni ?? host,
            ...(tls.maxVersion && { maxVersion: tls.maxVersion }),
            ...(tls.client && { cert: tls.client.certPem, key: tls.client.keyPem }),
          });
    sent.on('error', reject);
    sent.on('response', resolve);
    sent.end(body);
  });
  // Of a request over TLS, as the answer was asked for.
  const certificate = tls && (message.socket as TLSSocket).getPeerCertificate();
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const { statusCode: status = 0, headers: fields, trailers } = message;
  return {
    status,
    headers: fields,
    trailers,
    body: text,
    certificate,
    seen: () => JSON.parse(text) as SeenRequest,
  };
}

function agentOf(from: string): Agent {
  const agent = agents.get(from) ?? new Agent({ keepAlive: true, maxSockets: 4, timeout: 5_000 });
  agents.set(from, agent);
  return agent;
}

/** Closes the connections that are kept. */
export function closeConnections(): void {
  for (const agent of agents.values()) agent.destroy();
  agents.clear();
}

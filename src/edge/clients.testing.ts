import { type Agent, type IncomingMessage, request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { connect } from 'node:net';
import { type PeerCertificate, connect as tlsConnect } from 'node:tls';
import type { SeenRequest } from './upstreams.testing.ts';
import { textOf } from './upstreams.testing.ts';

/** A request of a test to an edge on loopback. */
export interface TestRequest {
  readonly port: number;
  readonly host?: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | undefined;
  /** Over TLS, without verification where `ca` is left out. */
  readonly tls?: { readonly ca?: string; readonly serverName?: string };
  readonly agent?: Agent;
}

export interface TestResponse {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** The body, read as what an upstream reports. */
  seen(): SeenRequest;
}

export function send(options: TestRequest): Promise<TestResponse> {
  const { port, host = 'foo.com', path = '/', method = 'GET', headers = {}, body, tls, agent } = options;
  const common = {
    host: '127.0.0.1',
    port,
    path,
    method,
    headers: { host, ...headers },
    ...(agent && { agent }),
  };
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing =
      tls === undefined
        ? request(common)
        : secureRequest({
            ...common,
            servername: tls.serverName ?? host,
            ...(tls.ca === undefined ? { rejectUnauthorized: false } : { ca: tls.ca }),
          });
    outgoing.on('error', reject);
    outgoing.on('response', resolve);
    outgoing.end(body);
  });
  return answer.then(readResponse);
}

async function readResponse(message: IncomingMessage): Promise<TestResponse> {
  const body = await textOf(message);
  const { statusCode: status = 0, headers } = message;
  return { status, headers, body, seen: () => JSON.parse(body) as SeenRequest };
}

/** Sends bytes as they are, and gives all that comes back until the edge closes. */
export function sendRaw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      received += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
    socket.write(text, 'latin1');
  });
}

/** The certificate that a name is served with. */
export function certificateOf(port: number, serverName: string | undefined): Promise<PeerCertificate> {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ...(serverName && { servername: serverName }),
    });
    socket.on('error', reject);
    socket.on('secureConnect', () => {
      resolve(socket.getPeerCertificate());
      socket.destroy();
    });
  });
}

/** A request on a connection of its own, the session that comes of its handshake, and whether the one that was given was taken. */
export function sessionOf(
  port: number,
  version: 'TLSv1.2' | 'TLSv1.3',
  session?: Buffer,
): Promise<{ session: Buffer; resumed: boolean }> {
  return new Promise((resolve, reject) => {
    const socket = tlsConnect({
      port,
      host: '127.0.0.1',
      servername: 'foo.com',
      rejectUnauthorized: false,
      minVersion: version,
      maxVersion: version,
      ...(session === undefined ? {} : { session }),
    });
    let made = session;
    let resumed = false;
    socket.on('error', reject);
    socket.on('secureConnect', () => {
      resumed = socket.isSessionReused();
      socket.write('GET / HTTP/1.1\r\nHost: foo.com\r\nConnection: close\r\n\r\n');
    });
    socket.on('session', latest => {
      made = latest;
    });
    socket.resume();
    socket.on('close', () => {
      if (made === undefined) reject(new Error('no session'));
      else resolve({ session: made, resumed });
    });
  });
}

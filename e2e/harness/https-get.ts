import { request } from 'node:https';
import type { PeerCertificate, TLSSocket } from 'node:tls';

export interface HttpsTarget {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  /** PEM of the roots to trust; the chain and the host name are verified against them. */
  readonly ca: readonly string[];
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** What a verified HTTPS request got. */
export interface HttpsAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly certificate: PeerCertificate;
}

/** One GET over a new connection, with SNI, the chain and the name verified. Rejects where any of it fails. */
export function httpsGet(target: HttpsTarget): Promise<HttpsAnswer> {
  const { host, address, port, ca, path = '/', headers = {}, timeoutMs = 30_000 } = target;
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: address,
        port,
        path,
        servername: host,
        headers: { host, ...headers },
        ca: [...ca],
        agent: false,
        signal: AbortSignal.timeout(timeoutMs),
      },
      response => {
        const certificate = (response.socket as TLSSocket).getPeerCertificate();
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body, headers: response.headers, certificate }),
        );
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}

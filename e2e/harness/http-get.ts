import { request } from 'node:http';

/** What a plain HTTP request got; redirects are not followed. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  readonly location: string | undefined;
}

/** One GET in plain HTTP over a new connection. */
export function httpGet(target: {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly path?: string;
}): Promise<HttpAnswer> {
  const { host, address, port, path = '/' } = target;
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: address, port, path, headers: { host }, agent: false, signal: AbortSignal.timeout(30_000) },
      response => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body, location: response.headers.location }),
        );
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}

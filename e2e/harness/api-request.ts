import { request } from 'node:https';
import type { Identity } from './test-authority.ts';

export interface ApiAccess {
  readonly url: string;
  readonly caPem: string;
  readonly identity: Identity;
}

export interface ApiResponse {
  readonly status: number;
  readonly text: string;
}

/** One request on a connection of its own, with a client certificate. A status of 400 or more is no error here. */
export function apiRequest(
  access: ApiAccess,
  method: string,
  path: string,
  body?: object,
): Promise<ApiResponse> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, access.url), {
      method,
      agent: false,
      ca: access.caPem,
      cert: access.identity.certPem,
      key: access.identity.keyPem,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      signal: AbortSignal.timeout(30_000),
    });
    sent.on('error', reject);
    sent.on('response', response => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    });
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** As `apiRequest`, for a JSON answer. @throws Error with the server's words on a status of 400 or more. */
export async function apiJson(
  access: ApiAccess,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const { status, text } = await apiRequest(access, method, path, body);
  if (status >= 400) throw new Error(`${method} ${path}: ${status} ${text}`);
  return JSON.parse(text);
}

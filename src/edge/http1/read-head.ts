import type { IncomingMessage } from 'node:http';
import type { RequestHead } from '../policy/request-head.ts';

/** The head of a request that Node's parser took. */
export function readHead(request: IncomingMessage, secure: boolean): RequestHead {
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    httpVersion: request.httpVersion,
    rawHeaders: request.rawHeaders,
    secure,
    remoteAddress: plainAddress(request.socket.remoteAddress ?? ''),
  };
}

/** An IPv4 client of a listener for both families is shown as what it is. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

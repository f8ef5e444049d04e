import type { IncomingMessage } from 'node:http';
import { headerFieldsOf } from '../exchange/header-fields.ts';
import type { RawHead } from '../policy/raw-head.ts';

/** The head of a request that Node's parser took. */
export function readHead(request: IncomingMessage, secure: boolean, publicPort: number): RawHead {
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    httpVersion: request.httpVersion,
    fields: headerFieldsOf(request.rawHeaders),
    connection: {
      secure,
      clientAddress: plainAddress(request.socket.remoteAddress ?? ''),
      trusted: false,
      publicPort,
      tls: undefined,
    },
  };
}

/** An IPv4 client of a listener for both families is shown as what it is. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

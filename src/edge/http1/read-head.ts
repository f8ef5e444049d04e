import type { IncomingMessage } from 'node:http';
import { headerFieldsOf } from '../exchange/header-fields.ts';
import type { RawHead } from '../policy/raw-head.ts';
import type { ConnectionFacts } from '../policy/request-head.ts';

/** The head of a request that Node's parser took. */
export function readHead(request: IncomingMessage, connection: ConnectionFacts): RawHead {
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    httpVersion: request.httpVersion,
    fields: headerFieldsOf(request.rawHeaders),
    connection,
  };
}

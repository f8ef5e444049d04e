import { STATUS_CODES } from 'node:http';
import { headerFieldsOf } from '../exchange/header-fields.ts';
import type { ClientExchange } from '../exchange/ports.ts';

/** The body of an answer that the edge gives by itself: clients learn the status, never the reason. */
function bodyOf(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? 'Error'}\n`;
}

/** Gives an answer of the edge itself. `fields` are names and values in turn. Gives the bytes of its body. */
export function answerByItself(
  client: ClientExchange,
  status: number,
  fields: readonly string[] = [],
): number {
  const body = Buffer.from(status < 200 || status === 204 || status === 304 ? '' : bodyOf(status), 'latin1');
  const sink = client.answer({
    status,
    statusText: STATUS_CODES[status] ?? '',
    fields: headerFieldsOf([
      ...fields,
      'Date',
      new Date().toUTCString(),
      ...(body.length === 0 ? [] : ['Content-Type', 'text/plain; charset=utf-8']),
    ]),
    framing: body.length === 0 ? { kind: 'none' } : { kind: 'length', length: body.length },
  });
  if (body.length > 0) sink.write(body);
  sink.end();
  return body.length;
}

/** The whole answer to what is no request, after which the connection is closed. */
export function refusalText(status: number): string {
  const body = bodyOf(status);
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nDate: ${new Date().toUTCString()}\r\n` +
    `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`
  );
}

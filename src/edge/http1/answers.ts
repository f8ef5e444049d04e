import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Decision } from './node-decide.ts';

/** An answer that the edge gives by itself. */
export interface OwnAnswer {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  /** The connection is closed afterwards. */
  readonly close: boolean;
}

/** The answer for every decision but to proxy. Clients learn the status, never the reason. */
export function answerFor(decision: Exclude<Decision, { kind: 'proxy' }>): OwnAnswer {
  if (decision.kind === 'redirect') {
    return { status: decision.status, headers: ['Location', decision.location], close: false };
  }
  return { status: decision.status, headers: [], close: decision.kind === 'refuse' };
}

/** The answer for a failure. */
export function errorAnswer(status: number, close = false): OwnAnswer {
  return { status, headers: [], close };
}

function bodyOf(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? 'Error'}\n`;
}

/** Gives the answer through Node's response. `closing` closes the connection in any case. */
export function sendAnswer(response: ServerResponse, answer: OwnAnswer, closing: boolean): void {
  const body = bodyOf(answer.status);
  const headers = [
    ...answer.headers,
    'Content-Type',
    'text/plain; charset=utf-8',
    'Content-Length',
    String(body.length),
  ];
  if (answer.close || closing) headers.push('Connection', 'close');
  response.writeHead(answer.status, headers);
  response.end(body);
}

/** Gives the answer on a bare connection, and closes it. */
export function sendRawAnswer(socket: Duplex, answer: OwnAnswer): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = bodyOf(answer.status);
  const headers = [
    ...answer.headers,
    'Content-Type',
    'text/plain; charset=utf-8',
    'Content-Length',
    String(body.length),
    'Connection',
    'close',
  ];
  socket.write(`${rawHead(answer.status, STATUS_CODES[answer.status] ?? '', headers)}${body}`);
  closeGently(socket);
}

/**
 * Ends a connection so that the peer can read what was written: closing at once, with unread bytes of the peer's
 * pending, would reset the connection (RFC 9112 section 9.6).
 */
export function closeGently(socket: Duplex): void {
  if (socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
  socket.once('end', () => socket.destroy());
  socket.end();
  socket.resume();
}

const lingerMs = 2_000;

/** A response head as it goes over the wire, one byte a character. */
export function rawHead(status: number, message: string, headers: readonly string[]): string {
  let head = `HTTP/1.1 ${status} ${message}\r\n`;
  for (let at = 0; at + 1 < headers.length; at += 2) head += `${headers[at]}: ${headers[at + 1]}\r\n`;
  return `${head}\r\n`;
}

import type { Duplex } from 'node:stream';
import { errorAnswer, sendRawAnswer } from './answers.ts';

const statusOf: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/**
 * Answers bytes that are no request, and closes. `busy`: an answer to an earlier request is on its way, and nothing
 * may be written into it. Gives whether it was a malformed request, and not merely a connection that broke.
 */
export function answerClientError(error: Error & { code?: unknown }, socket: Duplex, busy: boolean): boolean {
  const code = typeof error.code === 'string' ? error.code : '';
  const malformed = code.startsWith('HPE_') || code.startsWith('ERR_HTTP_');
  if (malformed && !busy) sendRawAnswer(socket, errorAnswer(statusOf[code] ?? 400));
  else socket.destroy();
  return malformed;
}

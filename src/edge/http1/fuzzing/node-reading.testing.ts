import { createServer } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { MemorySocket } from './memory-socket.testing.ts';
import type { Reading, SeenMessage } from './reading.testing.ts';

/** What Node's own server, strict as it is by default, makes of the bytes of a client. */
export async function readByNode(bytes: Buffer): Promise<Reading> {
  const requests: SeenMessage[] = [];
  let open = 0;
  let refused: string | undefined;
  const server = createServer({ maxHeaderSize: 262_144, keepAliveTimeout: 0 }, (request, response) => {
    open += 1;
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
    request.on('error', () => {});
    request.on('end', () => {
      open -= 1;
      requests.push({ method: request.method ?? '', target: request.url ?? '', body });
      response.end();
    });
  });
  server.maxHeadersCount = 0;
  server.on('clientError', (error: NodeJS.ErrnoException) => {
    refused ??= error.code ?? error.message;
  });
  const socket = new MemorySocket();
  server.emit('connection', socket);
  socket.receive(bytes);
  // No input or output is waited for: the ticks of its streams are over after a few rounds.
  for (let round = 0; round < 3; round += 1) await setImmediate();
  const reading = {
    requests: [...requests],
    inBody: open > 0,
    closed: socket.writableEnded || socket.destroyed,
    refused,
  };
  socket.destroy();
  server.close();
  return reading;
}

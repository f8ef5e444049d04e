import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

/**
 * An upstream of the soak as a process of its own, on the port of its first argument: answers with as many bytes as `?bytes=`
 * says, to uploads with how many came, and echoes WebSocket messages. Ends by SIGTERM once what is under way is done.
 */
const filler = Buffer.alloc(8 * 1_048_576, 'x');
const server = createServer((request, response) => {
  let received = 0;
  request.on('data', (chunk: Buffer) => {
    received += chunk.length;
  });
  request.on('error', () => {});
  request.on('end', () => {
    const bytes = Number(/bytes=(\d+)/.exec(request.url ?? '')?.[1] ?? '0');
    response.end(request.method === 'POST' ? String(received) : filler.subarray(0, bytes));
  });
});
const sockets = new WebSocketServer({ server });
sockets.on('connection', socket => {
  socket.on('error', () => {});
  socket.on('message', data => socket.send(data));
});
server.listen(Number(process.argv[2]), '127.0.0.1');
process.on('SIGTERM', () => {
  for (const socket of sockets.clients) socket.close(1001);
  server.close(() => process.exit());
});

import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

/**
 * An upstream of the soak as a process of its own, on the port of its first argument: answers with as many bytes as `?bytes=`
 * says, to uploads with how many came, and echoes WebSocket messages. Told to end by SIGTERM, it serves on until nobody has asked
 * it for a while, as pods do that are taken out of their Service, and ends once what is under way is done.
 */
const quietMs = 1_500;
const longestMs = 20_000;
const filler = Buffer.alloc(8 * 1_048_576, 'x');
let askedAtMs = performance.now();
const server = createServer((request, response) => {
  askedAtMs = performance.now();
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
  const toldAtMs = performance.now();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    if (nowMs - Math.max(askedAtMs, toldAtMs) < quietMs && nowMs - toldAtMs < longestMs) return;
    clearInterval(timer);
    for (const socket of sockets.clients) socket.close(1001);
    server.close(() => process.exit());
  }, 100);
});

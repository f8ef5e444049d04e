import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

/** `node websocket-echo.ts PORT`: sends each message back. */
const server = createServer((_request, response) => response.writeHead(426).end());
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on('connection', socket => {
  socket.on('message', data => socket.send(data));
});
server.listen(Number(process.argv[2]), '127.0.0.1');

import { WebSocket } from 'ws';
import { quantile } from '../quantile.ts';

/** `node websocket-load.ts URL HOST CONNECTIONS SECONDS`: messages of 1 KiB to and fro; prints JSON. */
const [url = '', host = '', connections = '16', seconds = '5'] = process.argv.slice(2);
const message = Buffer.alloc(1_024, 'x');
const deadline = performance.now() + Number(seconds) * 1_000;
const timesMs: number[] = [];

await Promise.all(
  Array.from({ length: Number(connections) }, async () => {
    const socket = new WebSocket(url, {
      headers: { host },
      ...({ servername: host } as object),
      rejectUnauthorized: false,
      perMessageDeflate: false,
    });
    await new Promise<void>((resolve, reject) => {
      let sentMs = 0;
      const send = (): void => {
        sentMs = performance.now();
        socket.send(message);
      };
      socket.on('open', send);
      socket.on('message', () => {
        const nowMs = performance.now();
        timesMs.push(nowMs - sentMs);
        if (nowMs < deadline) send();
        else socket.close();
      });
      socket.on('close', () => resolve());
      socket.on('error', reject);
    });
  }),
);
process.stdout.write(
  `${JSON.stringify({ count: timesMs.length, p50: quantile(timesMs, 0.5), p99: quantile(timesMs, 0.99), p999: quantile(timesMs, 0.999) })}\n`,
);

import { systemClock } from '../../../core/clock.ts';
import { silentLogger } from '../../../core/logger.ts';
import { defaultTimeouts } from '../../engine.ts';
import { headerFieldsOf } from '../../exchange/header-fields.ts';
import type { ServeRequest } from '../../exchange/ports.ts';
import { defaultLimits } from '../../limits.ts';
import { noEdgeMetrics } from '../../metrics.ts';
import { TimerWheel } from '../../timers/timer-wheel.ts';
import { createHttp1Server } from '../http1-server.ts';
import { MemorySocket } from './memory-socket.testing.ts';
import type { Reading, SeenMessage } from './reading.testing.ts';

const facts = Object.freeze({
  secure: false,
  clientAddress: '127.0.0.1',
  trusted: false,
  publicPort: 80,
  tls: undefined,
});

/** What the edge's codec makes of the bytes of a client, which come in these pieces; each request is answered 200 once it is whole. */
export function readByCodec(pieces: readonly Buffer[]): Reading {
  const requests: SeenMessage[] = [];
  let refused: string | undefined;
  let open = 0;
  const serve: ServeRequest = (head, client) => {
    open += 1;
    let body = '';
    client.continue();
    client.requestBody.pipe({
      consumes: true,
      write(chunk) {
        body += chunk.toString('latin1');
        return true;
      },
      end() {
        open -= 1;
        requests.push({ method: head.method, target: head.path + head.query, body });
        client
          .answer({ status: 200, statusText: 'OK', fields: headerFieldsOf([]), framing: { kind: 'none' } })
          .end();
      },
      abort() {
        open -= 1;
      },
    });
  };
  // Its timer never starts: no time passes while bytes are read.
  const wheel = new TimerWheel(1_000_000_000, () => 0);
  const failures: unknown[] = [];
  const server = createHttp1Server(
    {
      limits: defaultLimits,
      timeouts: defaultTimeouts,
      metrics: { ...noEdgeMetrics, refused: reason => (refused = reason) },
      accessLog: undefined,
      logger: { ...silentLogger, error: (message, fields) => void failures.push(message, fields) },
    },
    serve,
    wheel,
    systemClock,
  );
  const socket = new MemorySocket();
  server.take(socket, facts);
  // The codec moves data about in the buffers that it is given.
  for (const piece of pieces) socket.receive(Buffer.from(piece));
  const inBody = open > 0;
  const closed = socket.writableEnded || socket.destroyed;
  server.close();
  wheel.close();
  if (failures.length > 0) throw new Error(`the codec failed: ${JSON.stringify(failures)}`);
  return { requests, inBody, closed, refused };
}

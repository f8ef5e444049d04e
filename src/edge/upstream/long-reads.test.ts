import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { headerFieldsOf } from '../exchange/header-fields.ts';
import type { BodySink } from '../exchange/ports.ts';
import { TimerWheel } from '../timers/timer-wheel.ts';
import { checkedLookup } from './checked-lookup.ts';
import { Http1Connector } from './http1-connector.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const answers = 40;
const bodyBytes = 1_048_576;

/** As many answers as there are, whose bodies stand in the system's memory before any of them is read. */
async function askForAll(sink: BodySink): Promise<void> {
  const sockets: Socket[] = [];
  const server = createServer(socket => {
    socket.on('error', () => {});
    sockets.push(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const wheel = new TimerWheel(1_000, () => 0);
  const connector = new Http1Connector(checkedLookup(true), wheel);
  closing.push(() => {
    connector.close();
    wheel.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  for (let asked = 0; asked < answers; asked += 1)
    connector.open(
      { endpoint: { address: '127.0.0.1', port }, tls: undefined },
      {
        method: 'GET',
        authority: 'foo.com',
        scheme: 'http',
        target: '/',
        fields: headerFieldsOf([]),
        framing: { kind: 'none' },
        upgrade: undefined,
        trailersWanted: false,
      },
      { connectMs: 60_000, readMs: 60_000, sendMs: 60_000 },
      {
        sent: () => {},
        drained: () => {},
        informed: () => {},
        answered: (_head, body) => body.pipe(sink),
        upgraded: () => {},
        failed: ({ message }) => sink.abort(new Error(message)),
      },
    );
  while (sockets.length < answers) await turn();
  const body = Buffer.alloc(bodyBytes, 'x');
  for (const socket of sockets) {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bodyBytes}\r\n\r\n`);
    socket.write(body);
  }
}

it('of many long answers few are read at length in one turn, and all come to their end', async () => {
  const seen = { bytes: 0, ended: 0, failures: [] as Error[] };
  await askForAll({
    consumes: true,
    write(chunk) {
      seen.bytes += chunk.length;
      return true;
    },
    end() {
      seen.ended += 1;
    },
    abort: error => void seen.failures.push(error),
  });
  let most = 0;
  while (seen.ended + seen.failures.length < answers) {
    const before = seen.bytes;
    await turn();
    most = Math.max(most, seen.bytes - before);
  }
  expect([seen.failures, seen.bytes]).toEqual([[], answers * bodyBytes]);
  // Each of them may be read once, and four of them four times. Without that bound it would be four times each.
  expect(most / 73_728).toBeLessThan(answers + 5 * 4);
});

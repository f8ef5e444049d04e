import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/logger.ts';
import { defaultTimeouts } from '../engine.ts';
import { headerFieldsOf } from '../exchange/header-fields.ts';
import { defaultLimits } from '../limits.ts';
import { noEdgeMetrics } from '../metrics.ts';
import { TimerWheel } from '../timers/timer-wheel.ts';
import { MemorySocket } from './fuzzing/memory-socket.testing.ts';
import { createHttp1Server } from './http1-server.ts';

const facts = { secure: false, clientAddress: '192.0.2.1', trusted: false, publicPort: 80, tls: undefined };

it('of hundreds of new connections few are served in a turn, those that were served before at once, and none that is gone', async () => {
  const served: string[] = [];
  // Its timer never starts: no time passes.
  const wheel = new TimerWheel(1_000_000_000, () => 0);
  const server = createHttp1Server(
    {
      limits: defaultLimits,
      timeouts: defaultTimeouts,
      metrics: noEdgeMetrics,
      accessLog: undefined,
      logger: silentLogger,
    },
    (head, client) => {
      served.push(head.path);
      client
        .answer({ status: 200, statusText: 'OK', fields: headerFieldsOf([]), framing: { kind: 'none' } })
        .end();
    },
    wheel,
    systemClock,
  );
  const connect = (): MemorySocket => {
    const socket = new MemorySocket();
    server.take(socket, facts);
    return socket;
  };
  const get = (socket: MemorySocket, path: string): void =>
    socket.receive(Buffer.from(`GET ${path} HTTP/1.1\r\nHost: foo.com\r\n\r\n`));

  const known = connect();
  get(known, '/known');
  await turn();
  const many = Array.from({ length: 300 }, connect);
  for (const socket of many) get(socket, '/new');
  expect(served.length).toBeLessThan(20);
  get(known, '/known/again');
  expect(served.at(-1)).toBe('/known/again');
  get(connect(), '/last');
  await turn();
  expect(served.length).toBeLessThan(40);
  expect(served).toContain('/last');

  for (const socket of many.slice(0, 100)) socket.destroy();
  for (let turns = 0; turns < 100; turns += 1) await turn();
  const unserved = many.filter(socket => socket.sent === '').length;
  expect(unserved).toBeGreaterThan(80);
  expect(served.length).toBe(2 + 300 + 1 - unserved);
  server.close();
  wheel.close();
});

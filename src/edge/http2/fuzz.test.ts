import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headerFieldsOf } from '../exchange/header-fields.ts';
import { TimerWheel } from '../timers/timer-wheel.ts';
import { checkedLookup } from '../upstream/checked-lookup.ts';
import { Http2Connector } from '../upstream/http2-connector.ts';
import { frame, headerBlock, plainRequest, rawClient } from './raw-peer.testing.ts';
import { ask, connectTo, gather, reportingServe, startServer, type TestServer } from './server.testing.ts';

const block = fc.oneof(
  fc.constant(headerBlock(plainRequest)),
  fc.constant(headerBlock([[':status', '200']])),
  fc
    .array(fc.tuple(fc.constantFrom(':path', ':status', 'te', 'host', 'x', 'content-length'), fc.string()), {
      maxLength: 4,
    })
    .map(headerBlock),
  fc.uint8Array({ maxLength: 40 }).map(bytes => Buffer.from(bytes)),
);
/** Frames that make some sense, in an order that makes none. */
const frames = fc.array(
  fc
    .record({
      type: fc.integer({ min: 0, max: 10 }),
      flags: fc.constantFrom(0, 1, 4, 5, 8, 32, 37),
      stream: fc.constantFrom(0, 1, 3, 5, 2),
      payload: block,
    })
    .map(({ type, flags, stream, payload }) => frame(type, flags, stream, payload)),
  { minLength: 1, maxLength: 12 },
);
const bounds = { numRuns: 150 };

describe('frames in any order', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer(reportingServe);
  });
  afterAll(() => server.close());

  it('from a client harm nobody else', async () => {
    await fc.assert(
      fc.asyncProperty(frames, async sent => {
        const client = await rawClient(server.port);
        client.send(...sent);
        client.socket.end();
        await client.closed;
      }),
      bounds,
    );
    const session = connectTo(server.port);
    expect((await ask(session, { ':authority': 'foo.com' })).status).toBe(200);
    session.destroy();
  });

  it('from an upstream end its request, once, and harm no other', async () => {
    let answer: readonly Buffer[] = [];
    const upstream = createServer({ noDelay: true }, socket => {
      socket.on('error', () => {});
      socket.once('data', () => {
        socket.end(Buffer.concat([frame(4, 0, 0), ...answer]));
        socket.on('data', () => {});
      });
    });
    upstream.listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const { port } = upstream.address() as AddressInfo;
    const wheel = new TimerWheel(1_000, () => 0);
    const connector = new Http2Connector(checkedLookup(true), wheel);
    await fc.assert(
      fc.asyncProperty(frames, async sent => {
        answer = sent;
        let ends = 0;
        await new Promise<void>(resolve => {
          const ended = (): void => {
            ends += 1;
            resolve();
          };
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
            { connectMs: 1_000, readMs: 1_000, sendMs: 1_000 },
            {
              sent: () => {},
              drained: () => {},
              informed: () => {},
              answered: (_head, body) => body.pipe(gather(ended)),
              upgraded: () => {},
              failed: ended,
            },
          );
        });
        await new Promise(resolve => setImmediate(resolve));
        expect(ends).toBe(1);
      }),
      bounds,
    );
    connector.close();
    wheel.close();
    upstream.close();
  });
});

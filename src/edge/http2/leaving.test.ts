import { afterEach, describe, expect, it } from 'vitest';
import type { EdgeTimeouts } from '../engine.ts';
import type { EdgeLimits } from '../limits.ts';
import { ack } from './frame-follower.ts';
import {
  endHeaders,
  endStream,
  frame,
  frameType,
  headerBlock,
  plainRequest,
  type RawClient,
  type ReceivedFrame,
  rawClient,
} from './raw-peer.testing.ts';
import { answerText, reportingServe, startServer, type TestServer } from './server.testing.ts';

const open: TestServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(server => server.close()));
});

const anyStream = 0x7fffffff;

function request(stream: number): Buffer {
  return frame(frameType.headers, endHeaders | endStream, stream, headerBlock(plainRequest));
}

async function connected(
  changes: { limits?: Partial<EdgeLimits>; timeouts?: Partial<EdgeTimeouts> } = {},
  serve = reportingServe,
): Promise<{ server: TestServer; client: RawClient }> {
  const server = await startServer(serve, changes);
  open.push(server);
  return { server, client: await rawClient(server.port) };
}

/** Last streams and codes of the GOAWAY frames so far. */
function goaways({ frames }: RawClient): [lastStream: number, code: number][] {
  return frames
    .filter(({ type }) => type === frameType.goaway)
    .map(({ payload }) => [payload.readUInt32BE(0), payload.readUInt32BE(4)]);
}

/** The PING that comes behind the notice, which this client has not acknowledged yet. */
async function noticePing(client: RawClient): Promise<Buffer> {
  const ping = await client.find(({ type, flags }) => type === frameType.ping && flags === 0);
  expect(goaways(client)).toEqual([[anyStream, 0]]);
  return frame(frameType.ping, ack, 0, ping?.payload);
}

const ends = (stream: number) => (received: ReceivedFrame) =>
  received.stream === stream && received.type === frameType.data && (received.flags & endStream) !== 0;

/** The octet that stands for `:status: 200` (RFC 7541 appendix A) begins the heads of the answers to these streams. */
function allServed({ frames }: RawClient, streams: readonly number[]): void {
  const heads = frames.filter(({ type }) => type === frameType.headers);
  expect(heads.map(({ stream, payload }) => [stream, payload[0]])).toEqual(
    streams.map(stream => [stream, 0x88]),
  );
  for (const stream of streams) expect(frames.some(ends(stream))).toBe(true);
}

describe('a connection that ends serves what was sent before the client knew', () => {
  it.each<[string, (server: TestServer) => void, Parameters<typeof connected>[0]]>([
    ['a drain', ({ server }) => server.drain(20_000), {}],
    ['idle time', ({ clock }) => clock.advance(77_000), { timeouts: { keepAliveMs: 75_000 } }],
    ['as many requests as it should carry', () => {}, { limits: { requestsPerConnection: 1 } }],
  ])('%s', async (_, end, changes) => {
    const { server, client } = await connected(changes);
    client.send(request(1));
    await client.find(ends(1));
    end(server);
    const acknowledgement = await noticePing(client);
    client.send(request(3), request(5));
    await client.find(ends(5));
    client.send(request(7), acknowledgement);
    await client.closed;
    allServed(client, [1, 3, 5, 7]);
    const [notice, ...last] = goaways(client);
    expect(notice).toEqual([anyStream, 0]);
    // Node repeats it when the connection goes.
    expect(new Set(last.map(String))).toEqual(new Set(['7,0']));
  });

  it('what a client sends that acknowledges nothing is served for a while, and answers under way are completed', async () => {
    const sinks: (() => void)[] = [];
    const { server, client } = await connected({}, (_head, exchange) => {
      sinks.push(() => answerText(exchange, 200, 'whole'));
    });
    client.send(request(1));
    await client.settled();
    server.server.drain(20_000);
    await noticePing(client);
    server.clock.advance(2_000);
    client.send(request(3));
    await client.settled();
    server.clock.advance(1_000);
    const last = await client.find(
      ({ type, payload }) => type === frameType.goaway && payload.readUInt32BE(0) !== anyStream,
    );
    expect(last?.payload.readUInt32BE(0)).toBe(3);
    client.send(request(5));
    await client.settled();
    for (const answer of sinks) answer();
    await client.closed;
    allServed(client, [1, 3]);
  });

  it('the notice comes between the frames of an answer', async () => {
    const { server, client } = await connected({}, (_head, exchange) =>
      answerText(exchange, 200, 'x'.repeat(60_000)),
    );
    client.send(...Array.from({ length: 20 }, (_, at) => request(2 * at + 1)));
    await client.find(({ type }) => type === frameType.data);
    server.server.drain(20_000);
    const acknowledgement = await noticePing(client);
    expect(client.frames.every(({ type }) => type <= frameType.continuation)).toBe(true);
    client.send(acknowledgement);
    await client.find(
      ({ type, payload }) => type === frameType.goaway && payload.readUInt32BE(0) !== anyStream,
    );
    expect(goaways(client).at(-1)).toEqual([39, 0]);
    client.socket.destroy();
  });
});

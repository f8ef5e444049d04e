import { afterEach, describe, expect, it } from 'vitest';
import { defaultTimeouts } from '../engine.ts';
import { headerFieldsOf } from '../exchange/header-fields.ts';
import { defaultLimits, type EdgeLimits } from '../limits.ts';
import {
  endHeaders,
  endStream,
  frame,
  frameType,
  headerBlock,
  plainRequest,
  type RawClient,
  rawClient,
  uint32,
} from './raw-peer.testing.ts';
import { ask, connectTo, reportingServe, startServer, type TestServer } from './server.testing.ts';

const open: TestServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(server => server.close()));
});

const calm = 11;

async function attacked(
  limits: Partial<EdgeLimits> = {},
  serve = reportingServe,
): Promise<{ server: TestServer; attacker: RawClient }> {
  const server = await startServer(
    (head, client) => (head.path === '/alive' ? reportingServe : serve)(head, client),
    { limits },
  );
  open.push(server);
  return { server, attacker: await rawClient(server.port) };
}

/** The code of the GOAWAY that the attacker gets; -1 where the connection was closed without one. */
async function goaway(attacker: RawClient): Promise<number> {
  const found = await attacker.find(({ type }) => type === frameType.goaway);
  return found === undefined ? -1 : found.payload.readUInt32BE(4);
}

/** Another client is served as before. */
async function stillServes(server: TestServer): Promise<void> {
  const session = connectTo(server.port);
  expect((await ask(session, { ':authority': 'foo.com', ':path': '/alive' })).status).toBe(200);
  session.destroy();
}

function request(stream: number, flags = endHeaders | endStream): Buffer {
  return frame(frameType.headers, flags, stream, headerBlock(plainRequest));
}

function resets(count: number): Buffer[] {
  return Array.from({ length: count }, (_, at) => 2 * at + 1).flatMap(stream => [
    request(stream),
    frame(frameType.rstStream, 0, stream, uint32(8)),
  ]);
}

function pings(count: number): Buffer[] {
  return Array.from({ length: count }, () => frame(frameType.ping, 0, 0, Buffer.alloc(8)));
}

describe('floods end the connection, and nothing else', () => {
  it('rapid reset (CVE-2023-44487): after some hundreds, of which few were served', async () => {
    let served = 0;
    const { server, attacker } = await attacked({}, () => {
      served += 1;
    });
    const burst: Buffer[] = [];
    for (let stream = 1; stream < 4_000; stream += 2)
      burst.push(request(stream), frame(frameType.rstStream, 0, stream, uint32(8)));
    attacker.send(...burst);
    await attacker.closed;
    expect(served).toBeLessThan(60);
    expect(server.refused).toEqual(['rapid reset']);
    await stillServes(server);
  });

  it('some resets: the connection lives, and is read slowly, so that others do not wait for it', async () => {
    const { attacker } = await attacked({}, () => {});
    const burst: Buffer[] = [];
    for (let stream = 1; stream < 400; stream += 2)
      burst.push(request(stream), frame(frameType.rstStream, 0, stream, uint32(8)));
    const sentMs = performance.now();
    attacker.send(...burst, frame(frameType.ping, 0, 0, Buffer.alloc(8, 1)));
    const answer = await attacker.find(({ type, flags }) => type === frameType.ping && flags === 1);
    expect(answer).toBeDefined();
    expect(performance.now() - sentMs).toBeGreaterThan(150);
  });

  it('resets that the client provokes (CVE-2025-8671), by bodies that are not as long as they say: counted alike', async () => {
    let served = 0;
    const { server, attacker } = await attacked({}, () => {
      served += 1;
    });
    const short = headerBlock([...plainRequest, ['content-length', '5']]);
    const burst: Buffer[] = [];
    for (let stream = 1; stream < 4_000; stream += 2)
      burst.push(
        frame(frameType.headers, endHeaders, stream, short),
        frame(frameType.data, endStream, stream, Buffer.from('x')),
      );
    attacker.send(...burst);
    await attacker.closed;
    expect(served).toBeLessThan(500);
    await stillServes(server);
  });

  it.each([0, 0x7fffffff])('a window update of %s', async increment => {
    const { server, attacker } = await attacked();
    attacker.send(request(1, endHeaders), frame(frameType.windowUpdate, 0, 1, uint32(increment)));
    await attacker.closed;
    await stillServes(server);
  });

  it('requests that are refused, one after another', async () => {
    const { server, attacker } = await attacked();
    const bad = headerBlock([...plainRequest.slice(0, 3), [':path', '/%zz']]);
    for (let stream = 1; stream < 2_000 && !attacker.socket.destroyed; stream += 2) {
      attacker.send(frame(frameType.headers, endHeaders | endStream, stream, bad));
      if (stream % 100 === 1) await attacker.settled();
    }
    expect(await goaway(attacker)).toBe(calm);
    await stillServes(server);
  });

  it('pings', async () => {
    const { server, attacker } = await attacked();
    attacker.send(...Array.from({ length: 2_000 }, () => frame(frameType.ping, 0, 0, Buffer.alloc(8))));
    expect(await goaway(attacker)).toBe(calm);
    expect(server.refused).toEqual(['ping flood']);
    await stillServes(server);
  });

  it('settings', async () => {
    const { server, attacker } = await attacked();
    const change = Buffer.concat([Buffer.from([0, 4]), uint32(70_000)]);
    attacker.send(...Array.from({ length: 2_000 }, () => frame(frameType.settings, 0, 0, change)));
    expect(await goaway(attacker)).toBe(calm);
    expect(server.refused).toEqual(['settings flood']);
    await stillServes(server);
  });

  it.each<[what: string, limits: Partial<EdgeLimits>, frames: Buffer[], reason: string]>([
    ['resets', { resets: 3 }, resets(5), 'rapid reset'],
    ['pings and settings', { controlFrames: 3 }, pings(5), 'ping flood'],
  ])('as many %s as the limits say', async (_what, limits, frames, reason) => {
    const generous = await attacked();
    generous.attacker.send(...frames);
    await generous.attacker.settled();
    expect(generous.server.refused).toEqual([]);
    const { server, attacker } = await attacked(limits);
    attacker.send(...frames);
    await attacker.closed;
    expect(server.refused).toEqual([reason]);
  });

  it('one SETTINGS frame of a thousand entries', async () => {
    const { server, attacker } = await attacked();
    const entries = Array.from({ length: 1_000 }, () => Buffer.concat([Buffer.from([0, 4]), uint32(70_000)]));
    attacker.send(frame(frameType.settings, 0, 0, Buffer.concat(entries)));
    await attacker.closed;
    await stillServes(server);
  });

  it('CONTINUATION without end', async () => {
    const { server, attacker } = await attacked();
    attacker.send(frame(frameType.headers, endStream, 1, headerBlock(plainRequest)));
    const more = frame(frameType.continuation, 0, 1, headerBlock([['x-filler', 'x'.repeat(8_000)]]));
    for (let sent = 0; sent < 500 && !attacker.socket.destroyed; sent += 1) attacker.send(more);
    await attacker.closed;
    const [socket] = server.sockets;
    expect(socket?.bytesRead).toBeLessThan(3_000_000);
    expect(server.refused).toEqual(['CONTINUATION flood']);
    await stillServes(server);
  });

  it('empty CONTINUATION frames', async () => {
    const { server, attacker } = await attacked();
    attacker.send(frame(frameType.headers, endStream, 1, headerBlock(plainRequest)));
    attacker.send(...Array.from({ length: 20_000 }, () => frame(frameType.continuation, 0, 1)));
    await attacker.closed;
    expect(server.refused).toEqual(['CONTINUATION flood']);
    await stillServes(server);
  });

  it('a header section that does not come to its end in time', async () => {
    const { server, attacker } = await attacked();
    await attacker.settled();
    attacker.send(frame(frameType.headers, endStream, 1, headerBlock(plainRequest)));
    for (let sent = 0; sent < 3; sent += 1) attacker.send(frame(frameType.continuation, 0, 1));
    // Nothing else may come within a header section that says what was read.
    const [socket] = server.sockets;
    await expect.poll(() => socket?.bytesRead).toBe(attacker.socket.bytesWritten);
    server.clock.advance(defaultTimeouts.headMs);
    expect(server.refused).toEqual([]);
    server.clock.advance(1_000);
    await attacker.closed;
    expect(server.refused).toEqual(['head not in time']);
    await stillServes(server);
  });

  it('empty DATA frames', async () => {
    const { server, attacker } = await attacked();
    attacker.send(
      request(1, endHeaders),
      ...Array.from({ length: 20_000 }, () => frame(frameType.data, 0, 1)),
    );
    await attacker.closed;
    await stillServes(server);
  });

  it('a header section that grows when it is unpacked (HPACK bomb) is given up, and the memory with it', async () => {
    const { server, attacker } = await attacked();
    // One long field goes into the dynamic table, then the same is named thousands of times by one byte.
    const long = Buffer.concat([
      Buffer.from([0x40, 1]),
      Buffer.from('x'),
      Buffer.from([0x7f, 0x81, 0x1e]),
      Buffer.alloc(4_000, 0x61),
    ]);
    const repeated = Buffer.alloc(12_000, 0xbe);
    attacker.send(
      frame(frameType.headers, endStream, 1, Buffer.concat([headerBlock(plainRequest), long])),
      frame(frameType.continuation, endHeaders, 1, repeated),
    );
    const end = await attacker.find(({ type }) => type === frameType.rstStream || type === frameType.goaway);
    expect(
      end === undefined || end.payload.readUInt32BE(end.type === frameType.goaway ? 4 : 0) === calm,
    ).toBe(true);
    await stillServes(server);
  });

  it('answers to a client that opens its windows wide and reads nothing: a little of each is held', async () => {
    const chunk = Buffer.alloc(16_384);
    let written = 0;
    let served = 0;
    const { server, attacker } = await attacked({}, (_head, client) => {
      served += 1;
      const sink = client.answer({
        status: 200,
        statusText: '',
        fields: headerFieldsOf([]),
        framing: { kind: 'open' },
      });
      const write = (): void => {
        let room = true;
        while (room) {
          room = sink.write(chunk);
          written += chunk.length;
        }
      };
      client.onDrain = write;
      write();
    });
    attacker.socket.pause();
    const widest = 0x7fffffff;
    attacker.send(
      frame(frameType.settings, 0, 0, Buffer.concat([Buffer.from([0, 4]), uint32(widest)])),
      frame(frameType.windowUpdate, 0, 0, uint32(widest - 65_535)),
      ...Array.from({ length: 150 }, (_value, index) => request(2 * index + 1)),
    );
    await expect.poll(() => served).toBe(defaultLimits.streams);
    let before = -1;
    await expect
      .poll(
        () => {
          const still = written === before;
          before = written;
          return still;
        },
        { interval: 200, timeout: 10_000 },
      )
      .toBe(true);
    // What the system's own buffers hold is in it.
    expect(written).toBeLessThan(40_000_000);
    attacker.socket.destroy();
    await stillServes(server);
  });

  it('more streams than are allowed reach no upstream', async () => {
    let served = 0;
    const { server, attacker } = await attacked({ streams: 4 }, () => {
      served += 1;
    });
    await attacker.settled();
    attacker.send(...[1, 3, 5, 7, 9, 11].map(stream => request(stream)));
    await attacker.settled();
    expect(served).toBeLessThanOrEqual(4);
    await stillServes(server);
  });
});

describe('what is malformed', () => {
  const pseudo = (changes: Record<string, string | undefined>): [string, string][] =>
    Object.entries({ ...Object.fromEntries(plainRequest), ...changes }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );

  it.each<[string, readonly (readonly [string, string])[]]>([
    ['no :method', pseudo({ ':method': undefined })],
    ['no :path', pseudo({ ':path': undefined })],
    ['an empty :path', pseudo({ ':path': '' })],
    ['no :scheme', pseudo({ ':scheme': undefined })],
    ['another scheme', pseudo({ ':scheme': 'ftp' })],
    ['no :authority and no host', pseudo({ ':authority': undefined })],
    ['an unknown pseudo-header', [...plainRequest, [':protocol', 'websocket']]],
    ['a repeated pseudo-header', [...plainRequest, [':path', '/b']]],
    ['a pseudo-header after the others', [['x', 'y'], ...plainRequest]],
    ['another host', [...plainRequest, ['host', 'bar.com']]],
    ['two hosts', [...plainRequest, ['host', 'foo.com'], ['host', 'foo.com']]],
    ['user information in :authority', pseudo({ ':authority': 'a@foo.com' })],
    ['upper case', [...plainRequest, ['X-Upper', 'y']]],
    ['connection', [...plainRequest, ['connection', 'x']]],
    ['keep-alive', [...plainRequest, ['keep-alive', '5']]],
    ['proxy-connection', [...plainRequest, ['proxy-connection', 'close']]],
    ['transfer-encoding', [...plainRequest, ['transfer-encoding', 'chunked']]],
    ['upgrade', [...plainRequest, ['upgrade', 'websocket']]],
    ['te', [...plainRequest, ['te', 'gzip']]],
    [
      'CONNECT',
      [
        [':method', 'CONNECT'],
        [':authority', 'foo.com:443'],
      ],
    ],
    ['TRACE', pseudo({ ':method': 'TRACE' })],
    ['a method that is no token', pseudo({ ':method': 'G ET' })],
    ['a path that climbs', pseudo({ ':path': '/a/../../b' })],
    ['a path with a fragment', pseudo({ ':path': '/a#b' })],
    ['a target of another form', pseudo({ ':path': 'http://foo.com/' })],
    ['a blank in the query', pseudo({ ':path': '/?a b' })],
    ['two lengths', [...plainRequest, ['content-length', '0'], ['content-length', '0']]],
    ['a length that is no number', [...plainRequest, ['content-length', '+1']]],
    ['a length without a body', [...plainRequest, ['content-length', '5']]],
  ])('%s is never served', async (_, fields) => {
    let served = 0;
    const { server, attacker } = await attacked({}, (head, client) => {
      served += 1;
      reportingServe(head, client);
    });
    attacker.send(frame(frameType.headers, endHeaders | endStream, 1, headerBlock(fields)));
    await attacker.settled();
    expect(served).toBe(0);
    const answered = attacker.frames.filter(({ stream, type }) => stream === 1 || type === frameType.goaway);
    expect(answered).not.toEqual([]);
    await stillServes(server);
  });

  it.each<[string, [string, string]]>([
    ['a line break in a value', ['x', 'a\r\nb: c']],
    ['a NUL in a value', ['x', 'a\0b']],
    ['a blank in a name', ['x y', 'z']],
    ['a colon in a name', ['x:y', 'z']],
    ['an empty name', ['', 'z']],
  ])('a field with %s is left out', async (_, field) => {
    const { attacker } = await attacked();
    attacker.send(frame(frameType.headers, endHeaders | endStream, 1, headerBlock([...plainRequest, field])));
    await attacker.settled();
    const answer = attacker.frames
      .filter(({ type }) => type === frameType.data)
      .map(({ payload }) => payload);
    const text = Buffer.concat(answer).toString();
    expect(text === '' || JSON.parse(text).fields.length === 0).toBe(true);
  });

  it.each<[string, number, [string, string][]]>([
    ['too many fields', 431, Array.from({ length: 101 }, (_, at) => [`x-${at}`, 'y'])],
    ['a head too long', 431, Array.from({ length: 9 }, (_, at) => [`x-${at}`, 'y'.repeat(3_900)])],
  ])('%s: %s', async (_, status, fields) => {
    const server = await startServer(reportingServe);
    open.push(server);
    const session = connectTo(server.port);
    const list = [...plainRequest, ...fields].flat();
    expect((await ask(session, list)).status).toBe(status);
    session.destroy();
  });

  it('a target too long: 414', async () => {
    const server = await startServer(reportingServe);
    open.push(server);
    const session = connectTo(server.port);
    expect((await ask(session, { ':path': `/${'a'.repeat(9_000)}` })).status).toBe(414);
    session.destroy();
  });
});

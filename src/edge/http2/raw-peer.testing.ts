import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { ack, endHeaders, endStream, frameType } from './frame-follower.ts';

export { endHeaders, endStream, frameType };

/** The bytes of a frame, whether it makes sense or not. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A header section as literals that nothing remembers (RFC 7541 section 6.2.2). */
export function headerBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(
    fields.map(([name, value]) => Buffer.concat([Buffer.from([0]), text(name), text(value)])),
  );
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([prefixed(bytes.length), bytes]);
}

/** An integer with a prefix of 7 bits (RFC 7541 section 5.1). */
function prefixed(value: number): Buffer {
  if (value < 127) return Buffer.from([value]);
  const bytes = [127];
  let rest = value - 127;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}

/** What a request needs. */
export const plainRequest: readonly (readonly [string, string])[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'foo.com'],
  [':path', '/'],
];

export interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** A client that sends whatever bytes it is given, acknowledges settings, and keeps what it gets. */
export interface RawClient {
  readonly socket: Socket;
  readonly frames: readonly ReceivedFrame[];
  send(...frames: Buffer[]): void;
  /** The first frame that fits, past or to come; undefined where the connection ends before. */
  find(fits: (frame: ReceivedFrame) => boolean): Promise<ReceivedFrame | undefined>;
  /** Resolves when everything sent so far was read by the server, or the connection is closed. */
  settled(): Promise<void>;
  readonly closed: Promise<unknown>;
}

export async function rawClient(port: number): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const closed = new Promise(resolve => socket.once('close', resolve));
  await once(socket, 'connect');
  const frames: ReceivedFrame[] = [];
  const checks = new Set<() => void>();
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      const end = 9 + rest.readUIntBE(0, 3);
      const received = {
        type: rest.readUInt8(3),
        flags: rest.readUInt8(4),
        stream: rest.readUInt32BE(5),
        payload: Buffer.from(rest.subarray(9, end)),
      };
      rest = rest.subarray(end);
      frames.push(received);
      if (received.type === frameType.settings && received.flags !== ack)
        socket.write(frame(frameType.settings, ack, 0));
    }
    for (const check of checks) check();
  });
  socket.on('close', () => {
    for (const check of checks) check();
  });
  socket.write(
    Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(frameType.settings, 0, 0)]),
  );
  let pings = 0;
  const client: RawClient = {
    socket,
    frames,
    closed,
    send: (...sent) => {
      if (socket.writable) socket.write(Buffer.concat(sent));
    },
    find: fits =>
      new Promise(resolve => {
        const check = (): void => {
          const found = frames.find(fits);
          if (found === undefined && !socket.destroyed) return;
          checks.delete(check);
          resolve(found);
        };
        checks.add(check);
        check();
      }),
    async settled() {
      // The first is answered when all before it was read, the second when what came of that was done.
      for (let round = 0; round < 2; round += 1) {
        pings += 1;
        const mark = Buffer.concat([uint32(0x706f7374), uint32(pings)]);
        client.send(frame(frameType.ping, 0, 0, mark));
        await client.find(
          ({ type, flags, payload }) => type === frameType.ping && flags === ack && payload.equals(mark),
        );
      }
    },
  };
  return client;
}

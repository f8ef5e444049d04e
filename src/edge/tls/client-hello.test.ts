import { connect as connectTcp, createServer } from 'node:net';
import { connect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { readClientHello } from './client-hello.ts';

/** The first bytes of a client with this server name. */
async function helloOf(servername: string | undefined): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const server = createServer(socket => {
    socket.on('error', () => {});
    socket.once('data', bytes => {
      resolve(Buffer.from(bytes));
      socket.destroy();
    });
  });
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  const socket = connectTcp(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1');
  const client = connect({ socket, ...(servername === undefined ? {} : { servername }) });
  client.on('error', () => {});
  const bytes = await promise;
  client.destroy();
  await new Promise(closed => server.close(closed));
  return bytes;
}

/** The same handshake message in records of so many bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part);
  }
  return Buffer.concat(records);
}

describe('a ClientHello', () => {
  it('of a real client tells its server name, in lower case', async () => {
    expect(readClientHello(await helloOf('Foo.Example.com'))).toEqual({
      kind: 'read',
      serverName: 'foo.example.com',
    });
  });

  it('without a server name tells none', async () => {
    expect(readClientHello(await helloOf(undefined))).toEqual({ kind: 'read', serverName: '' });
  });

  it('is incomplete at every byte before its last, and read with more behind it', async () => {
    const hello = await helloOf('foo.com');
    for (let length = 0; length < hello.length; length += 1)
      expect(readClientHello(hello.subarray(0, length))).toEqual({ kind: 'incomplete' });
    expect(readClientHello(Buffer.concat([hello, Buffer.from('more')]))).toMatchObject({
      serverName: 'foo.com',
    });
  });

  it('is read when it comes in several records, but not in hundreds', async () => {
    const hello = await helloOf('foo.com');
    expect(readClientHello(inRecords(hello, 100))).toMatchObject({ serverName: 'foo.com' });
    expect(readClientHello(inRecords(hello, 1))).toEqual({ kind: 'unreadable' });
  });

  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n')],
    ['an alert', Buffer.from([21, 3, 1, 0, 2, 1, 0])],
    ['an empty record', Buffer.from([22, 3, 1, 0, 0])],
    ['another handshake message', Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])],
    ['a message of 16 MB', Buffer.from([22, 3, 1, 0, 4, 1, 255, 255, 255])],
    ['a message that ends early', Buffer.from([22, 3, 1, 0, 6, 1, 0, 0, 2, 3, 3])],
  ])('%s is none', (_what, bytes) => {
    expect(readClientHello(bytes)).toEqual({ kind: 'unreadable' });
  });

  it('with lengths that lead beyond its end is refused, whatever byte is changed', async () => {
    const hello = await helloOf('foo.com');
    for (let at = 5; at < hello.length; at += 1) {
      const bent = Buffer.from(hello);
      bent[at] = 255;
      expect(['read', 'unreadable', 'incomplete']).toContain(readClientHello(bent).kind);
    }
  });
});

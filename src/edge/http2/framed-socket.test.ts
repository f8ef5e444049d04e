import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { FramedSocket } from './framed-socket.ts';
import { endHeaders, frame, frameType } from './raw-peer.testing.ts';

const open: { destroy(): unknown }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.destroy();
});

/** Both ends of a connection, one of them framed. */
async function pair(look: (bytes: Buffer) => readonly Buffer[] = bytes => [bytes]) {
  const listener = createServer({ allowHalfOpen: true });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const accepted = once(listener, 'connection') as Promise<[Socket]>;
  const peer = connect({ port: (listener.address() as AddressInfo).port, host: '127.0.0.1' });
  const [socket] = await accepted;
  listener.close();
  socket.on('error', () => {});
  peer.on('error', () => {});
  const framed = new FramedSocket(socket, look);
  open.push(peer, socket);
  return { peer, socket, framed };
}

const notice = frame(frameType.goaway, 0, 0, Buffer.alloc(8, 7));
const first = frame(frameType.settings, 0, 0);

describe('a framed socket', () => {
  it.each<[string, Buffer[], Buffer[], Buffer[]]>([
    ['at once behind a whole frame', [first], [], [first, notice]],
    ['not before the first frame', [], [first], [first, notice]],
    [
      'not within a frame',
      [first, frame(frameType.data, 0, 1, Buffer.from('abcd')).subarray(0, 11)],
      [Buffer.from('cd'), first],
      [first, frame(frameType.data, 0, 1, Buffer.from('abcd')), notice, first],
    ],
    [
      'not within a header section',
      [first, frame(frameType.headers, 0, 1, Buffer.from('a'))],
      [frame(frameType.continuation, endHeaders, 1, Buffer.from('b')), first],
      [
        ...[first, frame(frameType.headers, 0, 1, Buffer.from('a'))],
        ...[frame(frameType.continuation, endHeaders, 1, Buffer.from('b')), notice, first],
      ],
    ],
  ])('puts a frame of ours in %s', async (_, before, behind, expected) => {
    const { peer, framed } = await pair();
    const chunks: Buffer[] = [];
    peer.on('data', (chunk: Buffer) => chunks.push(chunk));
    for (const bytes of before) await new Promise(resolve => framed.write(bytes, resolve));
    framed.insert(notice);
    framed.cork();
    for (const bytes of behind) framed.write(bytes);
    framed.uncork();
    framed.end();
    await once(peer, 'end');
    expect(Buffer.concat(chunks)).toEqual(Buffer.concat(expected));
  });

  it('looks at what comes, and keeps back what is not to be passed on', async () => {
    const { peer, framed } = await pair(bytes => (bytes.includes('bad') ? [] : [bytes]));
    const chunks: Buffer[] = [];
    framed.on('data', (chunk: Buffer) => chunks.push(chunk));
    for (const text of ['good', 'bad', 'fine']) {
      peer.write(text);
      await expect.poll(() => framed.destroyed || Buffer.concat(chunks).length).toBeGreaterThanOrEqual(4);
    }
    peer.end();
    await once(framed, 'end');
    expect(Buffer.concat(chunks).includes('bad')).toBe(false);
  });

  it('takes what comes in parts, one a while after the other, and what comes then behind them', async () => {
    const { peer, framed } = await pair(bytes =>
      bytes.length === 4 ? [bytes.subarray(0, 1), bytes.subarray(1, 3), bytes.subarray(3)] : [bytes],
    );
    const chunks: string[] = [];
    const atMs: number[] = [];
    framed.on('data', (chunk: Buffer) => {
      chunks.push(chunk.toString());
      atMs.push(performance.now());
    });
    peer.write('1234');
    await expect.poll(() => chunks.length).toBeGreaterThan(0);
    peer.end('behind');
    await once(framed, 'end');
    expect(chunks).toEqual(['1', '23', '4', 'behind']);
    expect((atMs[2] ?? 0) - (atMs[0] ?? 0)).toBeGreaterThan(30);
  });

  it('is read no faster than it is taken, and written no faster than its peer takes it', async () => {
    const { peer, socket, framed } = await pair();
    const chunk = Buffer.alloc(65_536);
    framed.pause();
    let accepted = 0;
    const fill = (): void => {
      peer.write(chunk, error => {
        if (error) return;
        accepted += 1;
        fill();
      });
    };
    fill();
    await expect.poll(() => socket.isPaused()).toBe(true);
    expect(framed.readableLength).toBeLessThanOrEqual(2 * 65_536);
    peer.pause();
    let written = 0;
    while (framed.write(chunk)) written += 1;
    framed.write(chunk, () => {
      written = -1;
    });
    for (let at = 0; at < 200; at += 1) framed.write(chunk);
    await expect.poll(() => socket.writableLength).toBeGreaterThan(0);
    expect(framed.writableNeedDrain).toBe(true);
    expect([accepted < 200, written < 10]).toEqual([true, true]);
  });

  it.each<[string, (both: { peer: Socket; socket: Socket; framed: FramedSocket }) => void]>([
    ['the connection is cut', ({ socket }) => socket.destroy()],
    ['the connection fails', ({ socket }) => socket.destroy(new Error('failed'))],
    ['the peer cuts it', ({ peer }) => peer.resetAndDestroy()],
    ['it is destroyed itself', ({ framed }) => framed.destroy()],
  ])('closes on both sides when %s', async (_, end) => {
    const both = await pair();
    both.framed.resume();
    const closed = Promise.all([once(both.framed, 'close'), once(both.socket, 'close')]).catch(() => []);
    end(both);
    await closed;
    expect([both.framed.destroyed, both.socket.destroyed]).toEqual([true, true]);
  });
});

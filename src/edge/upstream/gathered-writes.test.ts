import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WriteMemory } from '../http1/write-memory.ts';
import { GatheredWrites } from './gathered-writes.ts';

const blockBytes = 1_024 * 80;

/** A connection that keeps what is written to it until it is told that it is out. */
function connection() {
  const written: string[] = [];
  const waiting: ((error?: Error | null) => void)[] = [];
  let room = 0;
  const memory = new WriteMemory(blockBytes);
  const socket: Pick<Socket, 'write'> = {
    write(bytes: unknown, done?: unknown): boolean {
      written.push(String(bytes));
      waiting.push(done as () => void);
      return true;
    },
  };
  const writes = new GatheredWrites(socket, memory, () => (room += 1));
  return {
    writes,
    written,
    memory,
    add: (text: string) => writes.add('', Buffer.from(text), ''),
    out: (error?: Error) => waiting.shift()?.(error),
    rooms: () => room,
  };
}

const turn = (): Promise<void> => new Promise(resolve => void setImmediate(resolve));
const letters = (letter: string, count: number): string => letter.repeat(count);

describe('what is written within one turn', () => {
  it('goes out in one piece when the turn is over', async () => {
    const { writes, written, add } = connection();
    expect(writes.add('head ', Buffer.from('body'), ' end')).toBe(true);
    expect(add(', more')).toBe(true);
    expect(written).toEqual([]);
    await turn();
    expect(written).toEqual(['head body end, more']);
  });

  it('goes out at once where nothing more comes', async () => {
    const { writes, written, add } = connection();
    add('all');
    writes.flush();
    expect(written).toEqual(['all']);
    await turn();
    expect(written).toEqual(['all']);
  });

  it('does not wait where it is 64 KiB', () => {
    const { written, add } = connection();
    for (const letter of ['a', 'b', 'c', 'd']) expect(add(letters(letter, 16_384))).toBe(true);
    expect(written.map(text => text.length)).toEqual([65_536]);
  });

  it('is copied: its memory is free again', async () => {
    const { writes, written } = connection();
    const bytes = Buffer.from('before');
    writes.add('', bytes, '');
    bytes.fill('x');
    await turn();
    expect(written).toEqual(['before']);
  });

  it('goes in order where a piece is larger than what is gathered', () => {
    const { written, add } = connection();
    add('first');
    expect(add(letters('x', blockBytes + 1))).toBe(false);
    expect(written).toEqual(['first']);
  });

  it('is forgotten where it is dropped', async () => {
    const { writes, written, add } = connection();
    add('lost');
    writes.drop();
    await turn();
    expect(written).toEqual([]);
  });
});

describe('behind a write that is not out', () => {
  it('small pieces of many turns gather, and go out in one', async () => {
    const { written, add, out } = connection();
    for (const text of ['1', '2', '3', '4']) {
      add(text);
      await turn();
    }
    expect(written).toEqual(['1']);
    out();
    expect(written).toEqual(['1', '234']);
  });

  it('64 KiB find no room; there is room again when the write is out', () => {
    const { written, add, out, rooms } = connection();
    add(letters('a', 65_536));
    expect(add(letters('b', 32_768))).toBe(true);
    expect(add(letters('c', 32_768))).toBe(false);
    expect(written).toHaveLength(1);
    out();
    expect(written).toHaveLength(2);
    expect(rooms()).toBe(1);
    out();
    expect(rooms()).toBe(1);
  });

  it('what comes though there is no room goes out in order', () => {
    const { written, add, out } = connection();
    for (const letter of ['a', 'b', 'c', 'd']) add(letters(letter, 65_536));
    while (written.length < 4) out();
    expect(written.map(text => text[0])).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('memory', () => {
  it('is used again once a write is out', () => {
    const { writes, add, out, memory } = connection();
    const block = memory.take(1);
    memory.giveBack(block);
    add('text');
    writes.flush();
    expect(memory.take(1)).not.toBe(block);
    out();
    expect(memory.take(1)).toBe(block);
  });

  it('is not used again after an error: someone may still read it', () => {
    const { writes, add, out, memory } = connection();
    const block = memory.take(1);
    memory.giveBack(block);
    add('text');
    writes.flush();
    out(new Error('reset'));
    expect(memory.take(1)).not.toBe(block);
  });
});

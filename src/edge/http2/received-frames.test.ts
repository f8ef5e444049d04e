import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../limits.ts';
import { endHeaders, endStream, frame, frameType, uint32 } from './raw-peer.testing.ts';
import { ReceivedFrames } from './received-frames.ts';

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

function open(stream: number): Buffer {
  return frame(frameType.headers, endHeaders | endStream, stream, Buffer.from([0x82]));
}

/** So many requests, each of which is given up at once. */
function givenUp(count: number): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, index) => [
      open(2 * index + 1),
      frame(frameType.rstStream, 0, 2 * index + 1, uint32(8)),
    ]).flat(),
  );
}

function partsOf(frames: ReceivedFrames, bytes: Buffer): readonly Buffer[] {
  expect(frames.look(bytes)).toBeUndefined();
  return frames.parts(bytes);
}

describe('what a client has sent is taken', () => {
  it('as it came, as long as few requests are reset', () => {
    const frames = new ReceivedFrames({ now: 0 }, defaultLimits);
    const requests = Buffer.concat([preface, ...Array.from({ length: 100 }, (_, at) => open(2 * at + 1))]);
    expect(partsOf(frames, requests)).toEqual([requests]);
    expect(partsOf(frames, givenUp(10))).toHaveLength(1);
  });

  it('sixteen requests at once where many are reset, each with its reset, and nothing is lost', () => {
    const frames = new ReceivedFrames({ now: 0 }, defaultLimits);
    const bytes = Buffer.concat([preface, givenUp(100)]);
    const parts = partsOf(frames, bytes);
    expect(parts).toHaveLength(7);
    expect(Buffer.concat(parts)).toEqual(bytes);
    expect(parts.slice(0, 6)).toEqual([
      bytes.subarray(0, preface.length + givenUp(16).length),
      ...parts.slice(1, 6).map(part => part.subarray(0, givenUp(16).length)),
    ]);
  });

  it('as it comes again, some seconds after the last reset', () => {
    const ticks = { now: 0 };
    const frames = new ReceivedFrames(ticks, defaultLimits);
    partsOf(frames, Buffer.concat([preface, givenUp(40)]));
    const requests = Buffer.concat(Array.from({ length: 40 }, (_, at) => open(2 * at + 101)));
    expect(partsOf(frames, requests)).toHaveLength(3);
    ticks.now += 3;
    expect(partsOf(frames, requests)).toEqual([requests]);
  });
});

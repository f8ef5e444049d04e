import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endHeaders, FrameFollower, frameType } from './frame-follower.ts';
import { frame } from './raw-peer.testing.ts';

const frames = fc.array(
  fc.record({ type: fc.integer({ min: 0, max: 12 }), flags: fc.nat(255), length: fc.nat(40) }),
  { minLength: 1, maxLength: 8 },
);

/** Cuts bytes at these places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [0, ...places.map(place => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
}

describe('a follower of frames', () => {
  it('sees each frame once, wherever the bytes are cut', () => {
    fc.assert(
      fc.property(frames, fc.nat(30), fc.array(fc.nat(400), { maxLength: 12 }), (all, skip, places) => {
        const seen: [number, number][] = [];
        const follower = new FrameFollower(skip, (type, flags) => seen.push([type, flags]));
        const bytes = Buffer.concat([
          Buffer.alloc(skip, 0xff),
          ...all.map(({ type, flags, length }) => frame(type, flags, 1, Buffer.alloc(length, 0xee))),
        ]);
        for (const chunk of cut(bytes, places))
          for (let at = 0; at < chunk.length; ) at = follower.next(chunk, at);
        expect(seen).toEqual(all.map(({ type, flags }) => [type, flags]));
      }),
    );
  });

  it.each([
    ['before the first frame', Buffer.alloc(0), false],
    ['behind a frame', frame(frameType.data, 0, 1, Buffer.from('x')), true],
    ['within a head', frame(frameType.data, 0, 1).subarray(0, 5), false],
    ['within a payload', frame(frameType.data, 0, 1, Buffer.from('xy')).subarray(0, 10), false],
    ['within a header section', frame(frameType.headers, 0, 1, Buffer.from('x')), false],
    ['behind a header section', frame(frameType.headers, endHeaders, 1, Buffer.from('x')), true],
    [
      'behind the last part of one',
      Buffer.concat([frame(frameType.headers, 0, 1), frame(frameType.continuation, endHeaders, 1)]),
      true,
    ],
  ])('says whether there is a gap: %s', (_, bytes, expected) => {
    const follower = new FrameFollower(0, () => {});
    for (let at = 0; at < bytes.length; ) at = follower.next(bytes, at);
    expect(follower.between).toBe(expected);
  });
});

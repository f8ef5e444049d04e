import { describe, expect, it } from 'vitest';
import { readByCodec } from './codec-reading.testing.ts';
import { disagreement } from './compare-readings.testing.ts';
import { corpus } from './corpus.testing.ts';
import { readByNode } from './node-reading.testing.ts';
import { piecesDiffer } from './pieces.testing.ts';
import { randomFrom } from './random.testing.ts';
import { requestStream } from './request-streams.testing.ts';

/** What is wrong with how the codec reads these bytes: held against Node's parser, and against itself in pieces. */
async function fault(bytes: Buffer): Promise<string | undefined> {
  const stream = bytes.toString('latin1');
  return (
    disagreement(readByCodec([bytes]), await readByNode(bytes), stream) ?? piecesDiffer(bytes, randomFrom(1))
  );
}

describe('what the codec takes, Node takes for the same requests', () => {
  it.each(corpus('requests/taken'))('$name: taken', async ({ bytes }) => {
    const { requests, refused, inBody } = readByCodec([bytes]);
    expect({ refused, inBody, some: requests.length > 0 }).toEqual({
      refused: undefined,
      inBody: false,
      some: true,
    });
    expect(await fault(bytes)).toBeUndefined();
  });

  it.each(corpus('requests/refused'))('$name: refused, and nothing behind it read', async ({ bytes }) => {
    const { requests, refused } = readByCodec([bytes]);
    expect(refused).toBeTypeOf('string');
    expect(requests.filter(({ target }) => target === '/smuggled')).toEqual([]);
    expect(await fault(bytes)).toBeUndefined();
  });

  it('whatever the bytes, as far as a few hundred streams tell; `make fuzz` goes on', async () => {
    for (let seed = 0; seed < 300; seed += 1) {
      const stream = requestStream(randomFrom(seed));
      expect([stream, await fault(Buffer.from(stream, 'latin1'))]).toEqual([stream, undefined]);
    }
  });
});

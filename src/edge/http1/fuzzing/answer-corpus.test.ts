import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { corpus } from './corpus.testing.ts';
import { randomFrom } from './random.testing.ts';
import { responseStream } from './response-streams.testing.ts';
import { type AnswerReader, answerReader, answersDiffer } from './upstream-readings.testing.ts';

describe('what the codec takes of an upstream, Node takes for the same answer', () => {
  let reader: AnswerReader;
  beforeAll(async () => {
    reader = await answerReader();
  });
  afterAll(() => reader.close());

  const bothRead = async (method: string, bytes: Buffer) =>
    [await reader.readByEdge(method, bytes), await reader.readByNode(method, bytes)] as const;

  it.each(corpus('answers/taken'))('$name: taken', async ({ bytes }) => {
    const [edge, node] = await bothRead('GET', bytes);
    expect(edge).toEqual(node);
    expect(edge.kind).toBe('whole');
  });

  it.each(corpus('answers/refused'))('$name: never whole', async ({ bytes }) => {
    expect((await reader.readByEdge('GET', bytes)).kind).not.toBe('whole');
  });

  it('whatever the bytes, as far as a few hundred answers tell; `make fuzz` goes on', async () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const random = randomFrom(seed);
      const method = random.once(5) ? 'HEAD' : 'GET';
      const stream = responseStream(random);
      const [edge, node] = await bothRead(method, Buffer.from(stream, 'latin1'));
      expect([stream, answersDiffer(edge, node)]).toEqual([stream, undefined]);
    }
  });
});

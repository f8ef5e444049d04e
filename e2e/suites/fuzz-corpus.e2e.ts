import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { corpus } from '../../src/edge/http1/fuzzing/corpus.testing.ts';
import { type FuzzBed, startFuzzBed } from '../fuzz/bed.ts';
import { faultBefore, sendToFront } from '../fuzz/before.ts';
import { faultBehind } from '../fuzz/behind.ts';
import type { PeerName } from '../fuzz/peer-proxies.ts';

const cases = [...corpus('requests/taken'), ...corpus('requests/refused')];

describe.each<PeerName>(['nginx', 'haproxy'])('%s and the edge read the same requests', name => {
  let bed: FuzzBed;
  beforeAll(async () => {
    bed = await startFuzzBed(name);
  });
  afterAll(() => bed?.close());

  it('with the edge in front', async () => {
    const { port, recorder } = bed.behind;
    for (const { name: what, bytes } of cases)
      expect([what, await faultBehind(port, recorder, bytes)]).toEqual([what, undefined]);
  });

  it('with the edge behind', async () => {
    const { port, recorder, mark } = bed.before;
    await Promise.all(cases.map(({ bytes }) => sendToFront(port, bytes)));
    const recorded = recorder.take();
    expect(recorded.length).toBeGreaterThan(20);
    expect(faultBefore(mark, recorded)).toBeUndefined();
  });
});

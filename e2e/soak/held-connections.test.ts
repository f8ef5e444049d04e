import { expect, it } from 'vitest';
import { excuseOf, type Kill } from './held-connections.ts';

const kill: Kill = {
  pid: 1,
  held: new Set([100]),
  elsewhere: new Set([200]),
  fromMs: 10_000,
  toMs: 10_010,
};

it.each([
  ['the worker had its connection', 100, 5_000, 10_005, 'held'],
  ['it was noticed a little later', 100, 5_000, 10_900, 'held'],
  ['it had failed before', 100, 5_000, 9_999, undefined],
  ['it failed much later', 100, 5_000, 20_000, undefined],
  ['the port belongs to a later connection', 100, 10_500, 10_600, undefined],
  ['another worker had its connection', 200, 10_005, 10_008, undefined],
  ['nobody had it when it was begun in that moment', 300, 9_990, 10_008, 'queued'],
  ['it never had a connection', 0, 10_005, 10_008, 'queued'],
  ['nobody had it and it is older', 300, 9_000, 10_008, undefined],
] as const)(
  'a request that failed is the fault of a kill: %s',
  (_what, localPort, connectedMs, atMs, excuse) => {
    expect(excuseOf({ kind: '', why: '', localPort, connectedMs, atMs }, [kill])).toBe(excuse);
  },
);

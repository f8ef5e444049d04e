import { assert, jsonValue, property } from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.ts';
import { sameJson } from './same-json.ts';

it('says the same as a comparison of canonical texts', () => {
  const value = jsonValue({ maxDepth: 3 });
  assert(
    property(value, value, (a, b) => {
      expect(sameJson(a, b)).toBe(canonicalJson(a) === canonicalJson(b));
      expect(sameJson(a, JSON.parse(JSON.stringify(a)))).toBe(true);
    }),
  );
});

it.each([
  ['the order of members', { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }, true],
  ['a member that is undefined', { a: 1, b: undefined }, { a: 1 }, true],
  ['a member that is undefined, on the other side', { a: 1 }, { a: 1, b: undefined }, true],
  ['a member more', { a: 1 }, { a: 1, b: 2 }, false],
  ['a member less', { a: 1, b: 2 }, { a: 1 }, false],
  ['a member that every object inherits', {}, { constructor: 'x' }, false],
  ['a member that every object inherits, on the other side', { toString: 'x' }, {}, false],
  ['null beside undefined', { a: null }, {}, false],
  ['the order of a list', [1, 2], [2, 1], false],
  ['a longer list', [1], [1, 2], false],
  ['a list beside an object', [], {}, false],
  ['a number beside its text', { a: 1 }, { a: '1' }, false],
])('%s', (_what, a, b, same) => {
  expect(sameJson(a, b)).toBe(same);
});

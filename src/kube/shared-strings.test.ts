import { expect, it } from 'vitest';
import { deepFreeze } from './freeze.ts';
import { sharedString } from './shared-strings.ts';

it('gives every text back as it is, of whatever length, however many there were', () => {
  for (const length of [0, 1, 11, 128, 129, 5_000, 16_384, 16_385])
    expect(sharedString('x'.repeat(length))).toHaveLength(length);
  for (let i = 0; i < 30_000; i++) expect(sharedString(`cert-manager.io/${i}`)).toBe(`cert-manager.io/${i}`);
});

it('what is frozen has the same content', () => {
  const make = (): object => ({
    kind: 'Certificate',
    list: ['digital signature', 1, null, { a: true }],
    empty: {},
  });
  const frozen = deepFreeze(make());
  expect(frozen).toEqual(make());
  expect(Object.isFrozen((frozen as { list: unknown[] }).list)).toBe(true);
});

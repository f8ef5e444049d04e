import { expect, it } from 'vitest';
import { keyUsages } from './api/cert-manager/key-usage.ts';
import { keyUsageNames } from './pki/key-usage.ts';

/** The rooms may not import each other, so each has its list. */
it('the usages that a Certificate may name are those that can be put into one', () => {
  expect(keyUsages.toSorted()).toEqual(keyUsageNames.toSorted());
});

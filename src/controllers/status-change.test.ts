import { expect, it } from 'vitest';
import type { ObjectMeta } from '../api/meta.ts';
import { isStatusChange } from './status-change.ts';

const object = (metadata: ObjectMeta = {}, spec: object = { secretName: 'a-tls' }, status: object = {}) => ({
  metadata: { name: 'a', uid: '1', resourceVersion: '1', ...metadata },
  spec,
  status,
});
const one = object();

it.each([
  ['the status', object(), object({ resourceVersion: '2' }, undefined, { revision: 1 }), true],
  ['the version alone', object(), object({ resourceVersion: '2' }), true],
  ['the spec', object(), object({}, { secretName: 'b-tls' }), false],
  ['a label', object(), object({ labels: { a: 'b' } }), false],
  ['the owner', object(), object({ ownerReferences: [] }), false],
  ['the begin of a deletion', object(), object({ deletionTimestamp: '2026-01-01T00:00:00Z' }), false],
  ['another object of the same name', object(), object({ uid: '2' }), false],
  ['a new object', undefined, object(), false],
  ['an object that is gone', object(), undefined, false],
  ['what is told again', one, one, false],
])('%s', (_what, before, after, expected) => {
  expect(isStatusChange({ before, after })).toBe(expected);
});

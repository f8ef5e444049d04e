import { expect, it } from 'vitest';
import { OneField } from './one-field.ts';

it('is a list of one field, as it goes over the wire', () => {
  const field = new OneField('X-Request-ID', 'abc');
  expect([field.count, field.name(), field.rawName(), field.value()]).toEqual([
    1,
    'x-request-id',
    'X-Request-ID',
    'abc',
  ]);
  expect(field.first('x-request-id')).toBe('abc');
  expect(field.first('x-request')).toBeUndefined();
  expect(field.wire).toBe('X-Request-ID: abc\r\n');
});

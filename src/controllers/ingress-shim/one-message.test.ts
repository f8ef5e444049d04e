import { expect, it } from 'vitest';
import { oneMessage } from './one-message.ts';

const problem = (key: string): string => `${key} "x" must be something else: ${'why '.repeat(20)}`;

it('says everything in full where it fits', () => {
  expect(oneMessage(['a is wrong', 'b is wrong'])).toBe('a is wrong; b is wrong');
});

it('names every one where they do not fit', () => {
  const keys = Array.from({ length: 25 }, (_, index) => `cert-manager.io/annotation-${index}`);
  const message = oneMessage([...keys, 'postern.dev/delete-secret'].map(problem));
  expect(Buffer.byteLength(message)).toBeLessThanOrEqual(1_000);
  for (const key of keys) expect(message).toMatch(new RegExp(`${key.split('/')[1] ?? ''}\\b`));
  expect(message).toContain(`${problem('cert-manager.io/annotation-0')}; `);
  expect(message).toContain('also wrong are, after cert-manager.io/: annotation-');
  expect(message).toContain('also wrong: postern.dev/delete-secret');
});

import { expect, it } from 'vitest';
import { mallocTrim } from './malloc-trim.ts';

const mib = 1024 * 1024;
const { header } = process.report.getReport() as {
  readonly header: { readonly glibcVersionRuntime?: string };
};
const ffi = header.glibcVersionRuntime === undefined ? undefined : process.getBuiltinModule('node:ffi');

it.skipIf(ffi === undefined)('gives back what was freed below something that lives', async () => {
  const trim = await mallocTrim();
  const c = libc();
  const pieces = Array.from({ length: 20_000 }, () => c.malloc(4_000n));
  const lives = (index: number): boolean => index % 100 === 99;
  for (const [index, piece] of pieces.entries()) if (!lives(index)) c.free(piece);
  const before = process.memoryUsage.rss();
  trim?.();
  const given = before - process.memoryUsage.rss();
  for (const [index, piece] of pieces.entries()) if (lives(index)) c.free(piece);
  expect(given).toBeGreaterThan(40 * mib);
});

function libc(): { malloc(bytes: bigint): bigint; free(pointer: bigint): void } {
  if (ffi === undefined) throw new Error('there is no node:ffi');
  return ffi.dlopen(null, {
    malloc: { arguments: ['uint64'], return: 'pointer' },
    free: { arguments: ['pointer'], return: 'void' },
  }).functions;
}

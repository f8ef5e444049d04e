import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChunkedDecoder } from './chunked-decoder.ts';

interface Decoded {
  readonly data: string;
  readonly done: boolean;
  readonly fault: string;
  readonly trailers: string;
  /** What stands behind the body. */
  readonly rest: string;
}

function decode(text: string, step = Number.POSITIVE_INFINITY): Decoded {
  const decoder = new ChunkedDecoder();
  let data = '';
  let rest = '';
  for (let from = 0; from < text.length; from += step) {
    const bytes = Buffer.from(text.slice(from, from + step), 'latin1');
    if (decoder.done || decoder.fault !== '') {
      rest += bytes.toString('latin1');
      continue;
    }
    const end = decoder.decode(bytes, 0);
    data += bytes.toString('latin1', decoder.dataStart, decoder.dataEnd);
    if (decoder.done) rest += bytes.toString('latin1', end);
  }
  return { data, done: decoder.done, fault: decoder.fault, trailers: decoder.trailers, rest };
}

describe('the chunked coding', () => {
  it.each([
    ['chunks of any size', '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n', 'hello world', '\r\n'],
    [
      'digits of either case',
      'A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n',
      '01234567890123456789',
      '\r\n',
    ],
    ['leading zeros', '0005\r\nhello\r\n000\r\n\r\n', 'hello', '\r\n'],
    ['extensions', '5;a=b;c="d e"\r\nhello\r\n0;x\r\n\r\n', 'hello', '\r\n'],
    ['data like framing', '7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n', '0\r\n\r\n\r\n', '\r\n'],
    ['trailers', '0\r\nX: 1\r\nY: 2\r\n\r\n', '', 'X: 1\r\nY: 2\r\n\r\n'],
    ['nothing', '0\r\n\r\n', '', '\r\n'],
  ])('%s', (_what, text, data, trailers) => {
    for (const step of [Number.POSITIVE_INFINITY, 1, 2, 3, 7])
      expect(decode(`${text}GET /next`, step)).toEqual({
        data,
        done: true,
        fault: '',
        trailers,
        rest: 'GET /next',
      });
  });

  it.each([
    ['no size', '\r\nhello\r\n0\r\n\r\n', 'malformed chunk size'],
    ['a sign', '+5\r\nhello\r\n0\r\n\r\n', 'malformed chunk size'],
    ['a minus', '-5\r\nhello\r\n0\r\n\r\n', 'malformed chunk size'],
    ['a prefix', '0x5\r\nhello\r\n0\r\n\r\n', 'malformed chunk size'],
    ['a blank before the size', ' 5\r\nhello\r\n0\r\n\r\n', 'malformed chunk size'],
    ['a blank behind the size', '5 \r\nhello\r\n0\r\n\r\n', 'malformed chunk size'],
    ['a blank before an extension', '5 ;a\r\nhello\r\n0\r\n\r\n', 'malformed chunk size'],
    ['another digit', '5g\r\nhello\r\n0\r\n\r\n', 'malformed chunk size'],
    ['a size that overflows 32 bits twice', '10000000000000005\r\nhello\r\n', 'chunk size too large'],
    ['a bare line feed behind the size', '5\nhello\r\n0\r\n\r\n', 'malformed chunk size'],
    ['a bare carriage return behind the size', '5\rXhello\r\n0\r\n\r\n', 'malformed chunk size line'],
    ['a bare line feed in an extension', '5;a\nhello\r\n0\r\n\r\n', 'malformed chunk extension'],
    ['a carriage return in an extension', '5;a\rb\r\nhello\r\n0\r\n\r\n', 'malformed chunk size line'],
    ['a NUL in an extension', '5;a\0\r\nhello\r\n0\r\n\r\n', 'malformed chunk extension'],
    ['more data than the size', '4\r\nhello\r\n0\r\n\r\n', 'chunk longer than its size'],
    ['a bare line feed behind the data', '5\r\nhello\n0\r\n\r\n', 'chunk longer than its size'],
    ['a bare carriage return behind the data', '5\r\nhello\r0\r\n\r\n', 'chunk longer than its size'],
    ['an extension too long', `5;${'a'.repeat(300)}\r\nhello\r\n0\r\n\r\n`, 'chunk extensions too long'],
    [
      'too many extensions',
      `${`1;${'a'.repeat(200)}\r\nx\r\n`.repeat(100)}0\r\n\r\n`,
      'chunk extensions too long',
    ],
    ['a bare line feed in trailers', '0\r\nX: 1\nY: 2\r\n\r\n', 'bare line feed in trailers'],
    ['trailers too long', `0\r\nX: ${'a'.repeat(9_000)}\r\n\r\n`, 'trailers too long'],
  ])('%s is refused', (_what, text, fault) => {
    for (const step of [Number.POSITIVE_INFINITY, 1, 5])
      expect(decode(text, step)).toMatchObject({ done: false, fault });
  });

  it.each(['', '5', '5\r', '5\r\nhel', '5\r\nhello', '5\r\nhello\r\n', '0\r\n', '0\r\nX: 1\r\n'])(
    '%j is not the end',
    text => {
      expect(decode(text)).toMatchObject({ done: false, fault: '' });
    },
  );

  it('gives any data back, whatever its chunks and the pieces they come in', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 50 }),
        (chunks, step) => {
          const parts = chunks.map(chunk => Buffer.from(chunk).toString('latin1'));
          const text = parts.map(part => `${part.length.toString(16)}\r\n${part}\r\n`).join('');
          expect(decode(`${text}0\r\n\r\n`, step)).toMatchObject({
            data: parts.join(''),
            done: true,
            rest: '',
          });
        },
      ),
      { numRuns: 300 },
    );
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCsvLine } from './csv.ts';

describe('one line of comma-separated values', () => {
  it.each([
    ['a', ['a']],
    ['a,b', ['a', 'b']],
    ['a, b', ['a', ' b']],
    ['"1 Main Street, Back Yard",Town', ['1 Main Street, Back Yard', 'Town']],
    ['"say ""hi""",x', ['say "hi"', 'x']],
    ['a,,b,', ['a', '', 'b', '']],
    ['""', ['']],
    ['a,b\n', ['a', 'b']],
  ])('%j is %j', (line, fields) => {
    expect(parseCsvLine(line)).toEqual(fields);
  });

  it.each(['a"b', '"a', '"a"b', 'a, "b"', 'a\nb', '"a\nb"', 'a"'])('%j is none', line => {
    expect(parseCsvLine(line)).toBeUndefined();
  });

  it('gives back any fields that were quoted', () => {
    const field = fc.string().map(text => text.replaceAll(/[\r\n]/g, ' '));
    fc.assert(
      fc.property(fc.array(field, { minLength: 1 }), fields => {
        const line = fields.map(text => `"${text.replaceAll('"', '""')}"`).join(',');
        expect(parseCsvLine(line)).toEqual(fields);
      }),
    );
  });
});

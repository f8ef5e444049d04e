import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attributeOids, distinguishedName, readName } from './distinguished-name.ts';
import { PkiError } from './errors.ts';
import { parseLiteralSubject } from './literal-subject.ts';

const values = (text: string): string[][] =>
  parseLiteralSubject(text).rdns.map(rdn => rdn.map(({ value }) => value));

describe('a literal subject', () => {
  it('is encoded with its last name first', () => {
    expect(values('CN=shop.example,OU=web,O=Acme')).toEqual([['Acme'], ['web'], ['shop.example']]);
  });

  it.each([
    ['CN=a+OU=b,O=c', [['c'], ['a', 'b']]],
    ['cn = a , o = b ', [['b'], ['a']]],
    ['CN=a;O=b', [['b'], ['a']]],
    ['2.5.4.3=a', [['a']]],
    [String.raw`CN=Acme\, Inc.`, [['Acme, Inc.']]],
    [String.raw`CN=\ padded\ `, [[' padded ']]],
    [String.raw`CN=\#1`, [['#1']]],
    [String.raw`CN=Lu\C4\8Di\C4\87`, [['Lučić']]],
    ['CN=żółw', [['żółw']]],
    [String.raw`CN=a\"b\\c\=d`, [[String.raw`a"b\c=d`]]],
    ['CN=James "Jim"'.replaceAll('"', String.raw`\"`), [['James "Jim"']]],
    ['CN=a=b', [['a=b']]],
  ])('%s', (text, expected) => {
    expect(values(text)).toEqual(expected);
  });

  it.each([
    ['', 'column 1: it is empty'],
    ['   ', 'column 1: it is empty'],
    ['shop.example', 'column 1: expected an attribute such as CN=value'],
    ['CN=a,', 'column 6: expected an attribute'],
    ['CN=a,,O=b', 'column 6: expected an attribute'],
    ['CN=', 'column 4: the value is empty'],
    ['CN=a,XX=b', 'column 6: attribute type XX is unknown'],
    ['9.9.9=b', 'column 1: attribute type 9.9.9 is unknown'],
    ['CN=a"b', String.raw`column 5: "\"" must be escaped`],
    ['CN=a<b', 'column 5: "<" must be escaped'],
    [String.raw`CN=a\z`, 'column 5: a backslash must stand before'],
    ['CN=a\\', 'column 5: a backslash must stand before'],
    ['CN=#04024869', 'column 4: a value in #hex form is not supported'],
    [String.raw`CN=\FF`, 'the escaped octets are not UTF-8'],
  ])('refuses %j and names the place', (text, message) => {
    expect(() => parseLiteralSubject(text)).toThrow(PkiError);
    expect(() => parseLiteralSubject(text)).toThrow(message);
  });

  const attribute = fc.record({
    oid: fc.oneof(
      fc.constantFrom(...Object.values(attributeOids)),
      fc.constantFrom('1.3.6.1.4.1.311.60.2.1.3'),
    ),
    value: fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }),
  });
  const rdns = fc.array(fc.array(attribute, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 });

  it('reads back the text of any name', () => {
    fc.assert(
      fc.property(rdns, names => {
        const name = distinguishedName(names);
        expect(parseLiteralSubject(name.text)).toEqual(name);
      }),
    );
  });

  it('and its encoding', () => {
    fc.assert(
      fc.property(rdns, names => {
        const name = distinguishedName(names);
        expect(readName(name.der)).toEqual(name);
      }),
    );
  });

  it('never throws anything but PkiError, whatever it reads', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('CN', '=', ',', '+', '\\', '#', '"', ' ', '2.5.4.3', '\\C4'),
    );
    fc.assert(
      fc.property(fc.array(piece), pieces => {
        try {
          parseLiteralSubject(pieces.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(PkiError);
        }
      }),
    );
  });
});

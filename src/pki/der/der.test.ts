import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOid, oidContent, oidText } from './oid.ts';
import { childrenOf, DerError, readDer, readTime, valuesIn } from './read.ts';
import { der, integer, octetString, sequence, setOf, time } from './write.ts';

describe('DER', () => {
  it.each([0, 1, 127, 128, 255, 256, 65_535, 65_536, 16_777_216])(
    'reads back a value of %d octets',
    length => {
      const content = Buffer.alloc(length, 0xab);
      expect(readDer(octetString(content)).content.equals(content)).toBe(true);
    },
  );

  it.each([
    ['an empty input', ''],
    ['a length that is cut off', '0482'],
    ['a value that is cut off', '040341'],
    ['something after the value', '050000'],
    ['an indefinite length', '30800000'],
    ['a length longer than needed', '04810141'],
    ['a length with a leading zero', `04820080${'41'.repeat(128)}`],
    ['a tag number of more than one octet', '1f810100'],
  ])('refuses %s', (_what, hex) => {
    expect(() => readDer(Buffer.from(hex, 'hex'))).toThrow(DerError);
  });

  it('orders the members of a SET by their bytes', () => {
    expect(setOf(integer(300), integer(2)).toString('hex')).toBe('31070201020202012c');
  });

  it.each([
    [0, '020100'],
    [127, '02017f'],
    [128, '02020080'],
    [256, '02020100'],
  ])('writes the integer %d in the fewest octets', (value, hex) => {
    expect(integer(value).toString('hex')).toBe(hex);
  });

  it('never throws anything but DerError, whatever it reads', () => {
    const walk = (bytes: Buffer): void => {
      for (const value of valuesIn(bytes))
        if ((value.tag & 0x20) !== 0) walk(childrenOf(value).length > 0 ? value.content : Buffer.alloc(0));
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), octets => {
        try {
          walk(Buffer.from(octets));
        } catch (error) {
          expect(error).toBeInstanceOf(DerError);
        }
      }),
    );
  });

  it('reads back any tree it wrote', () => {
    const { tree } = fc.letrec<{ tree: Buffer }>(tie => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.uint8Array({ maxLength: 200 }).map(octetString),
        fc.array(tie('tree'), { maxLength: 4 }).map(parts => sequence(...parts)),
      ),
    }));
    fc.assert(
      fc.property(tree, bytes => {
        const value = readDer(bytes);
        const again =
          value.tag === 0x30
            ? sequence(...childrenOf(value).map(({ raw }) => raw))
            : der(value.tag, value.content);
        expect(again.equals(bytes)).toBe(true);
      }),
    );
  });
});

describe('object identifiers', () => {
  it.each([
    ['2.5.4.3', '550403'],
    ['1.2.840.113549.1.9.14', '2a864886f70d01090e'],
    ['2.16.840.1.113730.4.1', '6086480186f8420401'],
    ['2.999.3', '883703'],
    ['0.9.2342.19200300.100.1.1', '0992268993f22c640101'],
  ])('%s is %s', (text, hex) => {
    expect(oidContent(text).toString('hex')).toBe(hex);
    expect(oidText(Buffer.from(hex, 'hex'))).toBe(text);
  });

  it.each(['', '1', '3.1', '1.40', '1.2.', '1..2', '01.2', '1.02', 'a.b', '1.2 '])('%j is none', text => {
    expect(isOid(text)).toBe(false);
    expect(() => oidContent(text)).toThrow(DerError);
  });

  it('reads back any it wrote', () => {
    const arcs = fc.array(fc.bigInt({ min: 0n, max: 2n ** 100n }), { maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom(0, 1, 2), fc.integer({ min: 0, max: 39 }), arcs, (first, second, rest) => {
        const text = [first, second, ...rest].join('.');
        expect(oidText(oidContent(text))).toBe(text);
      }),
    );
  });
});

describe('times', () => {
  it.each([
    ['1950-01-01T00:00:00Z', '500101000000Z', 0x17],
    ['2049-12-31T23:59:59Z', '491231235959Z', 0x17],
    ['2050-01-01T00:00:00Z', '20500101000000Z', 0x18],
    ['9999-12-31T23:59:59Z', '99991231235959Z', 0x18],
    ['2024-02-29T12:00:00Z', '240229120000Z', 0x17],
  ])('%s is %s', (iso, text, tag) => {
    const value = readDer(time(Date.parse(iso)));
    expect([value.tag, value.content.toString()]).toEqual([tag, text]);
    expect(readTime(value)).toBe(Date.parse(iso));
  });

  it('cuts off what is below a second, and what is past the year 9999', () => {
    expect(readTime(readDer(time(1_700_000_000_999)))).toBe(1_700_000_000_000);
    expect(readTime(readDer(time(8.64e15)))).toBe(Date.parse('9999-12-31T23:59:59Z'));
  });

  it.each([
    '251301000000Z',
    '250230000000Z',
    '250101240000Z',
    '2501010000Z',
    '250101000000+0100',
    '250101000060Z',
  ])('refuses %s', text => {
    expect(() => readTime(readDer(der(0x17, Buffer.from(text))))).toThrow(DerError);
  });
});

import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { derOf, derValueAt, derValuesIn, isOneDerValue } from './der.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('values of DER', () => {
  it.each([
    ['02 01 05', { tag: 2, at: 0, from: 2, to: 3 }],
    [`04 81 80 ${'00'.repeat(128)}`, { tag: 4, at: 0, from: 3, to: 131 }],
    ['9f 81 01 01 05', { tag: 0x9f, at: 0, from: 4, to: 5 }],
  ])('are found: %s', (text, value) => {
    const bytes = hex(text);
    expect(derValueAt(bytes, 0, bytes.length)).toEqual(value);
  });

  it.each([
    ['nothing', ''],
    ['no length', '02'],
    ['a length without an end', '30 80 00 00'],
    ['a length longer than it need be', '04 81 01 00'],
    ['one with a zero before it', `04 82 00 80 ${'00'.repeat(128)}`],
    ['a length in which a part is missing', '04 82 01'],
    ['a length beyond the end', '04 02 00'],
    ['a length of more than four octets', '04 85 01 00 00 00 00'],
    ['a tag without an end', '9f 81'],
  ])('are not %s', (_what, text) => {
    const bytes = hex(text);
    expect(derValueAt(bytes, 0, bytes.length)).toBeUndefined();
    expect(isOneDerValue(bytes)).toBe(false);
  });

  it('in a row have to fill their place', () => {
    const bytes = hex('02 01 05 05 00');
    expect(derValuesIn(bytes, 0, 5)?.map(({ tag }) => tag)).toEqual([2, 5]);
    expect(derValuesIn(bytes, 0, 4)).toBeUndefined();
  });

  it.each([
    [
      'a key of its own',
      generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' }),
      true,
    ],
    ['values that do not fill their parent', hex('30 04 02 01 05 05'), false],
    ['a parent that ends within a value', hex('30 02 02 01 05'), false],
    ['something behind it', hex('05 00 00'), false],
    ['nesting deeper than anything that is meant', nested(40), false],
    ['nesting', nested(20), true],
  ])('with %s', (_what, bytes, isOne) => {
    expect(isOneDerValue(bytes)).toBe(isOne);
  });
});

describe('a value that is written', () => {
  it.each([0, 1, 127, 128, 255, 256, 65_535, 65_536])('with %i octets is read again', length => {
    const content = Buffer.alloc(length, 7);
    const half = Math.floor(length / 2);
    const bytes = derOf(0x04, content.subarray(0, half), content.subarray(half));
    const value = derValueAt(bytes, 0, bytes.length);
    expect(value?.to).toBe(bytes.length);
    expect(bytes.subarray(value?.from).equals(content)).toBe(true);
  });
});

function nested(depth: number): Buffer {
  let bytes = hex('05 00');
  for (let i = 0; i < depth; i++) bytes = Buffer.concat([Buffer.of(0x30, bytes.length), bytes]);
  return bytes;
}

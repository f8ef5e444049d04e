import { AttributeValue, Name } from '@peculiar/asn1-x509';
import { describe, expect, it } from 'vitest';
import { Asn1Error, decode, encode } from './asn1.ts';

describe('reading ASN.1', () => {
  it('gives back what was written', () => {
    const value = new AttributeValue({ utf8String: 'ü' });
    expect(decode(encode(value), AttributeValue)).toMatchObject({ utf8String: 'ü' });
  });

  it.each([
    ['an empty input', ''],
    ['a length that is cut off', '3082'],
    ['a value that is cut off', '300341'],
    ['something after the value', '30000000'],
    ['a part that is longer than the whole', '3009310730200603550403'],
    ['a part that says it is shorter than it is', '300d310b3007060355040313024e4f'],
    ['another type', '020100'],
  ])('refuses %s', (_what, hex) => {
    expect(() => decode(Buffer.from(hex, 'hex'), Name)).toThrow(Asn1Error);
  });
});

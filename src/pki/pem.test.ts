import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PkiError } from './errors.ts';
import { encodePem, parsePem } from './pem.ts';

const one = encodePem('CERTIFICATE', Buffer.from('one'));
const two = encodePem('PRIVATE KEY', Buffer.from('two'));

describe('PEM', () => {
  it('gives the blocks in order and passes over text around them', () => {
    const found = parsePem(`subject: a\n${one}\r\n# comment\n${two.replaceAll('\n', '\r\n')}trailer`);
    expect(found.map(({ label, der }) => [label, der.toString()])).toEqual([
      ['CERTIFICATE', 'one'],
      ['PRIVATE KEY', 'two'],
    ]);
  });

  it('gives nothing for text without a block', () => {
    expect(parsePem('nothing here')).toEqual([]);
  });

  it('writes lines of 64 characters', () => {
    const lines = encodePem('CERTIFICATE', Buffer.alloc(100)).split('\n');
    expect(lines.map(line => line.length)).toEqual([27, 64, 64, 8, 25, 0]);
  });

  it.each([
    ['cut off', one.slice(0, -10), 'PEM block 1 of 1 is damaged or cut off'],
    ['cut off in the second block', one + two.slice(0, 40), 'PEM block 2 of 2 is damaged'],
    ['not base64', one.replace('b25l', 'b2*l'), 'PEM block 1 (CERTIFICATE) is not valid base64'],
    ['empty', one.replace('b25l', ''), 'is not valid base64'],
    [
      'ended by another label',
      one.replace('END CERTIFICATE', 'END PRIVATE KEY'),
      'does not end with the label',
    ],
    ['encrypted', one.replace('b25l', 'Proc-Type: 4,ENCRYPTED\n\nb25l'), 'PEM block 1'],
  ])('says where a block is %s', (_what, text, message) => {
    expect(() => parsePem(text)).toThrow(PkiError);
    expect(() => parsePem(text)).toThrow(message);
  });

  it('reads back any blocks it wrote', () => {
    const label = fc.constantFrom('CERTIFICATE', 'PRIVATE KEY', 'EC PRIVATE KEY', 'X509 CRL');
    fc.assert(
      fc.property(fc.array(fc.tuple(label, fc.uint8Array({ minLength: 1 }))), blocks => {
        const text = blocks.map(([name, der]) => encodePem(name, der)).join('');
        expect(parsePem(text)).toEqual(blocks.map(([name, der]) => ({ label: name, der: Buffer.from(der) })));
      }),
    );
  });

  it('never throws anything but PkiError, whatever it reads', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('-----BEGIN ', '-----END ', 'CERTIFICATE', '-----', '\n', 'AAAA'),
    );
    fc.assert(
      fc.property(fc.array(piece), pieces => {
        try {
          parsePem(pieces.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(PkiError);
        }
      }),
    );
  });
});

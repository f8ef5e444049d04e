import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseChain, verifiesAgainst } from './chain.ts';
import { PkiError } from './errors.ts';
import { aCertificate, anAuthority } from './pki.testing.ts';

const root = await anAuthority({ commonName: 'Root' });
const upper = await aCertificate({ issuer: root, commonName: 'Upper', isCA: true, dnsNames: [] });
const lower = await aCertificate({
  issuer: upper,
  commonName: 'Lower',
  isCA: true,
  dnsNames: [],
  keySpec: { algorithm: 'RSA' },
});
const leaf = await aCertificate({ issuer: lower });
const otherLeaf = await aCertificate({ issuer: lower });
const otherRoot = await anAuthority({ commonName: 'Other root' });
/** The same authority as `root`, by a certificate of another root. */
const crossSigned = await aCertificate({
  issuer: otherRoot,
  key: root.key,
  commonName: 'Root',
  isCA: true,
  dnsNames: [],
});
/** The name of `root`, another key. */
const impostor = await anAuthority({ commonName: 'Root' });

const pem = (...list: { certificate: string }[]): string =>
  list.map(({ certificate }) => certificate).join('');

describe('a chain', () => {
  it('is put in order from any order, with repeats', () => {
    const all = [leaf, lower, upper, root];
    const jumbled = fc
      .shuffledSubarray(all, { minLength: all.length })
      .chain(shuffled =>
        fc.array(fc.constantFrom(...all), { maxLength: 3 }).map(extra => [...shuffled, ...extra]),
      );
    fc.assert(
      fc.property(jumbled, list => {
        const { chain, ca, leaf: found } = parseChain(list.map(({ certificate }) => certificate));
        expect([chain, ca, found.pem]).toEqual([pem(leaf, lower, upper), root.certificate, leaf.certificate]);
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    ['without its root', pem(upper, leaf, lower), pem(leaf, lower, upper), pem(upper)],
    ['of a leaf alone', pem(leaf), pem(leaf), pem(leaf)],
    ['of a self-signed certificate', pem(root), pem(root), pem(root)],
    ['of a leaf and its issuer', pem(lower, leaf), pem(leaf, lower), pem(lower)],
    [
      'that is cross-signed',
      pem(leaf, lower, upper, crossSigned, otherRoot),
      pem(leaf, lower, upper, crossSigned),
      pem(otherRoot),
    ],
    [
      'whose root is there a second time, cross-signed',
      pem(root, leaf, lower, upper, otherRoot, crossSigned),
      pem(leaf, lower, upper, crossSigned),
      pem(otherRoot),
    ],
  ])('%s is taken', (_what, input, chain, ca) => {
    expect(parseChain(input)).toMatchObject({ chain, ca });
  });

  it.each([
    ['with a gap', pem(leaf, upper), 'do not form one chain'],
    ['with two leaves', pem(leaf, otherLeaf, lower), 'are leaves'],
    ['with a stranger', pem(leaf, lower, otherRoot), 'do not form one chain'],
    [
      'whose root has the right name and the wrong key',
      pem(leaf, lower, upper, impostor),
      'do not form one chain',
    ],
  ])('%s is refused', (_what, input, message) => {
    expect(() => parseChain(input)).toThrow(PkiError);
    expect(() => parseChain(input)).toThrow(message);
  });

  it('of more certificates than a chain has is refused at once', async () => {
    const many = await Promise.all(
      Array.from({ length: 65 }, () => aCertificate({ issuer: root, key: leaf.key })),
    );
    expect(() => parseChain(pem(...many))).toThrow('65 certificates are more than a chain has; 64 at most');
  });
});

describe('verifying against authorities', () => {
  it.each([
    ['the root, through the intermediates', pem(leaf, lower, upper), pem(root), true],
    ['the root, with the intermediates in another order', pem(leaf, upper, lower), pem(root), true],
    ['one of several roots', pem(leaf, lower, upper), pem(otherRoot, root), true],
    ['an intermediate', pem(leaf), pem(lower), true],
    ['the certificate itself', pem(leaf), pem(leaf), true],
    ['the root without an intermediate', pem(leaf, upper), pem(root), false],
    ['another root', pem(leaf, lower, upper), pem(otherRoot), false],
    ['a root with the right name and the wrong key', pem(leaf, lower, upper), pem(impostor), false],
    ['another root that sends itself along', pem(root), pem(otherRoot), false],
  ])('%s', (_what, chain, ca, verified) => {
    expect(verifiesAgainst(chain, ca)).toBe(verified);
  });
});

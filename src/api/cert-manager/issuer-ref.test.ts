import { describe, expect, it } from 'vitest';
import { isInTreeIssuer, issuerRefOf, sameIssuer } from './issuer-ref.ts';

describe('a reference to an issuer', () => {
  it('is to an Issuer of cert-manager.io where nothing else is said', () => {
    const full = { name: 'ca', kind: 'Issuer', group: 'cert-manager.io' };
    expect(issuerRefOf({ name: 'ca' })).toEqual(full);
    expect(issuerRefOf({ name: 'ca', kind: '', group: '' })).toEqual(full);
  });

  it('is the same with its defaults written out', () => {
    expect(sameIssuer({ name: 'ca' }, { name: 'ca', kind: 'Issuer', group: 'cert-manager.io' })).toBe(true);
    expect(sameIssuer({ name: 'ca' }, { name: 'ca', kind: 'ClusterIssuer' })).toBe(false);
  });

  it.each([
    [{ name: 'a' }, true],
    [{ name: 'a', kind: 'ClusterIssuer' }, true],
    [{ name: 'a', kind: 'Other' }, false],
    [{ name: 'a', kind: 'Issuer', group: 'other.example' }, false],
  ])('%j is to an issuer of ours: %j', (ref, expected) => {
    expect(isInTreeIssuer(ref)).toBe(expected);
  });
});

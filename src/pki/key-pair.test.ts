import { describe, expect, it } from 'vitest';
import { parseCertificate } from './certificate.ts';
import { publicKeyInfoIn } from './certificate-key.ts';
import { keyFitsCertificate } from './key-pair.ts';
import { encodePem } from './pem.ts';
import { aCertificate, anAuthority, everyKeySpec } from './pki.testing.ts';
import { encodePrivateKey, keyKindOf } from './private-key.ts';

const issuer = await anAuthority();
const one = await aCertificate({ issuer });
const other = await aCertificate({ issuer });

describe('a key and a certificate', () => {
  it.each(everyKeySpec)('of one pair fit, with $title', async keySpec => {
    const { key, certificate } = await aCertificate({ issuer, keySpec });
    const chain = certificate + issuer.certificate;
    for (const encoding of ['PKCS1', 'PKCS8'] as const)
      expect(keyFitsCertificate(encodePrivateKey(key, encoding), chain)).toEqual({ verdict: 'fits' });
    const { der, publicKey, keyKind } = parseCertificate(certificate);
    expect(publicKeyInfoIn(der)).toEqual(publicKey.export({ format: 'der', type: 'spki' }));
    expect(keyKind).toEqual(keyKindOf(publicKey));
  });

  const key = encodePrivateKey(one.key);
  // An OCTET STRING in place of the first algorithm's identifier.
  const hex = parseCertificate(one.certificate)
    .der.toString('hex')
    .replace('06082a8648ce3d', '04082a8648ce3d');
  const odd = encodePem('CERTIFICATE', Buffer.from(hex, 'hex'));
  const empty = encodePem('CERTIFICATE', Buffer.from('3000', 'hex'));
  it.each([
    ['key-invalid', '', one.certificate, 'there is no private key in PEM form'],
    [
      'key-invalid',
      key.slice(0, 60),
      one.certificate,
      'PEM block 1 of 1 is damaged or cut off; check that it was copied whole',
    ],
    ['key-invalid', one.certificate, one.certificate, 'there is no private key in PEM form'],
    ['certificate-invalid', key, '', 'there is no certificate in PEM form'],
    ['certificate-invalid', key, empty, 'the certificate is damaged: OpenSSL does not read it'],
    ['certificate-invalid', key, odd, 'the certificate is damaged: OpenSSL does not read it'],
    [
      'mismatch',
      encodePrivateKey(other.key),
      one.certificate,
      'the private key does not belong to the certificate',
    ],
    [
      'mismatch',
      key,
      issuer.certificate + one.certificate,
      'the private key does not belong to the certificate',
    ],
  ])('are %s', (verdict, keyPem, certificatePem, reason) => {
    expect(keyFitsCertificate(keyPem, certificatePem)).toEqual({ verdict, reason });
  });
});

import { createHash, createPrivateKey, type KeyObject } from 'node:crypto';
import HttpClient from 'acme-client/src/http.js';
import { AcmeError } from './errors.ts';

/** External account binding (RFC 8555 section 7.3.4): the key identifier and the MAC key, base64url as the CA gave it. */
export interface ExternalAccountBinding {
  readonly keyId: string;
  readonly macKey: string;
}

/** Signs requests with one account key. */
export interface JwsSigner {
  /**
   * The flattened JWS of a request (RFC 8555 section 6.2), as JSON text. A null payload is a POST-as-GET. Without
   * an account URL the account's public key stands in the header.
   */
  sign(url: string, payload: object | null, nonce: string, accountUrl: string | undefined): string;
  /** The value of `externalAccountBinding` for a newAccount request to `url`. */
  bind(url: string, binding: ExternalAccountBinding): object;
  /** The account key's thumbprint (RFC 7638, SHA-256), base64url. */
  readonly thumbprint: string;
}

/** What the account key must be. */
const supported = 'use an ECDSA key (P-256, P-384 or P-521) or an RSA key of 2048 bits or more';
const curves = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

function readAccountKey(pem: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // OpenSSL's own message may quote its input.
    throw new AcmeError('ACME_UNSUPPORTED_KEY', `The ACME account key is no PEM private key: ${supported}.`);
  }
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  const fits =
    (key.asymmetricKeyType === 'ec' && curves.has(namedCurve ?? '')) ||
    (key.asymmetricKeyType === 'rsa' && (modulusLength ?? 0) >= 2048);
  if (!fits) {
    const found = [key.asymmetricKeyType, namedCurve ?? modulusLength]
      .filter(part => part !== undefined)
      .join(' ');
    throw new AcmeError('ACME_UNSUPPORTED_KEY', `The ACME account key is of type ${found}: ${supported}.`);
  }
  return key;
}

/**
 * A signer for the account key in `accountKeyPem` (PKCS#1, SEC 1 or PKCS#8). Throws ACME_UNSUPPORTED_KEY for
 * any other key: acme-client signs ES256, ES384, ES512 and RS256, no EdDSA.
 */
export function createJwsSigner(directoryUrl: string, accountKeyPem: string): JwsSigner {
  // As a KeyObject the PEM is parsed once, not at every request.
  const client = new HttpClient(directoryUrl, readAccountKey(accountKeyPem));
  const jwk = client.getJwk();
  return {
    sign: (url, payload, nonce, accountUrl) =>
      JSON.stringify(client.createSignedBody(url, payload, { nonce, kid: accountUrl ?? null })),
    bind: (url, { keyId, macKey }) => client.createSignedHmacBody(macKey, url, jwk, { kid: keyId }),
    // acme-client gives the JWK's required members alone, in the order that RFC 7638 wants.
    thumbprint: createHash('sha256').update(JSON.stringify(jwk)).digest('base64url'),
  };
}

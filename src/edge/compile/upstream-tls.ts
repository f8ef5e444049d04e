import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import type { Ingress } from '../../api/kubernetes/ingress.ts';
import { type Secret, tlsCaKey, tlsCertificateKey, tlsPrivateKeyKey } from '../../api/kubernetes/secret.ts';
import { messageOf } from '../../core/errors.ts';
import { parsePrivateKey } from '../../pki/private-key.ts';
import { parseRuleHost } from '../match/host.ts';
import type { UpstreamTlsAnnotations } from './annotations.ts';
import { findSecret, type SecretLookup } from './nginx/secret-reference.ts';
import { PrivateMaterial } from './private-material.ts';
import { quoted } from './quoted.ts';
import { secretText } from './secret-text.ts';
import { certificatesIn } from './server-certificate.ts';
import { plainHandshake, type UpstreamTls } from './table.ts';

/** The part of an upstream's TLS that is the same for all Services of an Ingress. */
export interface UpstreamTlsPolicy
  extends Pick<UpstreamTls, 'verify' | 'ca' | 'client' | 'crl' | 'depth' | 'handshake'> {
  readonly name: string | undefined;
  readonly sendServerName: boolean;
}

/** Verified against the system's authorities, by the upstream's own name. */
export const plainUpstreamTls: UpstreamTlsPolicy = Object.freeze({
  verify: true,
  name: undefined,
  sendServerName: true,
  ca: undefined,
  client: undefined,
  crl: undefined,
  depth: undefined,
  handshake: plainHandshake,
});

/**
 * Reads what the annotations point at. Whatever cannot be honoured is an error, and the Ingress then answers 503:
 * never plaintext, never unverified, never without the client certificate that was asked for.
 */
export function upstreamTlsPolicy(
  ingress: Ingress,
  annotations: UpstreamTlsAnnotations,
  secretOf: SecretLookup,
): { policy: UpstreamTlsPolicy } | { error: string; missing?: boolean } {
  const { verify, sendServerName, name } = annotations;
  if (name !== undefined && parseRuleHost(name) === undefined && isIP(name) === 0) {
    return { error: `proxy-ssl-name is ${quoted(name)}, which is no host name` };
  }
  const { depth, handshake } = annotations;
  const base = { ...plainUpstreamTls, verify, sendServerName, name: name?.toLowerCase(), depth, handshake };
  if (annotations.secret === undefined) return { policy: base };
  const namespace = ingress.metadata.namespace ?? '';
  const found = findSecret('proxy-ssl-secret', annotations.secret, namespace, secretOf);
  if ('error' in found) return found;
  const { secret, named } = found;
  const read = readSecret(secret, verify);
  return 'error' in read
    ? { error: `${named} cannot be used: ${read.error}` }
    : { policy: { ...base, ...read, depth: depth ?? (read.ca === undefined ? undefined : 1) } };
}

type SecretPart = Pick<UpstreamTlsPolicy, 'ca' | 'client'>;

/** Parsed once for each stored object, as server certificates are. */
const parsed = new WeakMap<
  Secret,
  { verified: SecretPart | { error: string }; unverified: SecretPart | { error: string } }
>();

function readSecret(secret: Secret, verify: boolean): SecretPart | { error: string } {
  let both = parsed.get(secret);
  if (both === undefined) {
    both = { verified: parseSecret(secret, true), unverified: parseSecret(secret, false) };
    parsed.set(secret, both);
  }
  return verify ? both.verified : both.unverified;
}

function parseSecret(secret: Secret, verify: boolean): SecretPart | { error: string } {
  const ca = secretText(secret, tlsCaKey);
  const certificate = secretText(secret, tlsCertificateKey);
  const key = secretText(secret, tlsPrivateKeyKey);
  if (verify && ca === undefined) return { error: `it has no ${tlsCaKey} to verify the upstream with` };
  if ((certificate === undefined) !== (key === undefined)) {
    return { error: `it has one of ${tlsCertificateKey} and ${tlsPrivateKeyKey} without the other` };
  }
  try {
    if (ca !== undefined && certificatesIn(ca).length === 0) {
      return { error: `its ${tlsCaKey} holds no certificate in PEM form` };
    }
    if (certificate === undefined || key === undefined) return { ca, client: undefined };
    const leaf = certificatesIn(certificate)[0];
    if (leaf?.checkPrivateKey(parsePrivateKey(key)) !== true) {
      return {
        error: `its ${tlsPrivateKeyKey} is not the key of the first certificate in its ${tlsCertificateKey}`,
      };
    }
    return { ca, client: { certificate, key: new PrivateMaterial(key) } };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

/** The policy applied to one upstream, whose own name is verified and sent where no other is given. */
export function upstreamTlsFor(policy: UpstreamTlsPolicy, upstreamName: string): UpstreamTls {
  const verifiedName = policy.name ?? upstreamName;
  // SNI carries names only (RFC 6066 section 3).
  const serverName = policy.sendServerName && isIP(verifiedName) === 0 ? verifiedName : undefined;
  const { verify, ca, client, crl, depth, handshake } = policy;
  const settings = [verify, verifiedName, serverName, ca, client?.certificate, crl, depth, handshake];
  const id = createHash('sha256')
    .update(JSON.stringify([settings, client?.key.reveal()]))
    .digest('hex');
  return { id, verify, verifiedName, serverName, ca, client, crl, depth, handshake };
}

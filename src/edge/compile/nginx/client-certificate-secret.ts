import { createHash } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { type Secret, tlsCaKey } from '../../../api/kubernetes/secret.ts';
import { messageOf } from '../../../core/errors.ts';
import { parsePem } from '../../../pki/pem.ts';
import type { ClientCertificatePolicy } from '../../policy/route-policy.ts';
import { secretText } from '../secret-text.ts';
import { certificatesIn } from '../server-certificate.ts';

const crlKey = 'ca.crl';

interface Authorities {
  readonly ca: string;
  readonly crl: string | undefined;
}

const known = new WeakMap<Secret, Authorities | { error: string }>();

/** The policy that the Secret and the annotations make together, or why they make none. */
export function clientCertificatePolicy(
  secret: Secret,
  settings: Omit<ClientCertificatePolicy, 'id' | 'ca' | 'crl'>,
): { policy: ClientCertificatePolicy } | { error: string } {
  let authorities = known.get(secret);
  if (authorities === undefined) {
    authorities = read(secret);
    known.set(secret, authorities);
  }
  if ('error' in authorities) return authorities;
  const { mode, depth, commonName } = settings;
  const { ca, crl } = authorities;
  // What is done with the result is the route's own business; connections differ by how they are judged.
  const id = createHash('sha256')
    .update(JSON.stringify([mode, depth, commonName, ca, crl]))
    .digest('hex');
  return { policy: { id, ...settings, ca, crl } };
}

function read(secret: Secret): Authorities | { error: string } {
  const ca = secretText(secret, tlsCaKey);
  const crl = secretText(secret, crlKey);
  if (ca === undefined) return { error: `it has no ${tlsCaKey} to verify clients with` };
  try {
    if (certificatesIn(ca).length === 0) return { error: `its ${tlsCaKey} holds no certificate in PEM form` };
    if (crl === undefined) return { ca, crl };
    if (!parsePem(crl).some(({ label }) => label === 'X509 CRL'))
      return { error: `its ${crlKey} holds no revocation list in PEM form` };
    createSecureContext({ crl });
    return { ca, crl };
  } catch (error) {
    return { error: messageOf(error) };
  }
}

import { createHash } from 'node:crypto';
import type { Issuer } from '../../api/cert-manager/issuer.ts';
import { type Secret, secrets, tlsPrivateKeyKey } from '../../api/kubernetes/secret.ts';
import { controlledSecretLabel } from '../../api/labels.ts';
import { TerminalError } from '../../core/errors.ts';
import { encodePrivateKey, generatePrivateKey, parsePrivateKey } from '../../pki/private-key.ts';
import { type IssuerContext, secretNamespaceOf, secretOfIssuer } from '../context.ts';
import { createOrGet } from '../idempotent-writes.ts';
import { quoted } from '../sentence.ts';

/** One value of a Secret that an issuer names. */
export interface NamedValue {
  readonly name: string;
  readonly key?: string | undefined;
}

/** An ACME account key is wanted, and is not to be made (`disableAccountKeyGeneration`), or is not in its Secret. */
export const accountKeyMissing = 'ACME_ACCOUNT_KEY_MISSING';

/** The account key of an issuer as PEM, or undefined where its Secret does not exist. */
export function findAccountKey(context: IssuerContext, issuer: Issuer): string | undefined {
  const ref = issuer.spec.acme?.privateKeySecretRef ?? { name: '' };
  const secret = secretOfIssuer(context, issuer, ref.name);
  return secret === undefined
    ? undefined
    : valueIn(secret, ref, 'spec.acme.privateKeySecretRef', tlsPrivateKeyKey);
}

/**
 * The account key of an issuer; made, and stored before it is used, where there is none. A new one is ECDSA P-256: every
 * ACME server takes it, and each request is signed some ten times faster than with RSA.
 */
export async function ensureAccountKey(context: IssuerContext, issuer: Issuer): Promise<string> {
  const found = findAccountKey(context, issuer);
  if (found !== undefined) return found;
  const ref = issuer.spec.acme?.privateKeySecretRef ?? { name: '' };
  const namespace = secretNamespaceOf(context, issuer);
  if (issuer.spec.acme?.disableAccountKeyGeneration === true) {
    throw new TerminalError(
      `Secret "${namespace}/${ref.name}" of spec.acme.privateKeySecretRef does not exist, and spec.acme.disableAccountKeyGeneration is set; create the Secret with the account key.`,
      { code: accountKeyMissing },
    );
  }
  const pem = encodePrivateKey(await generatePrivateKey({ algorithm: 'ECDSA', size: 256 }));
  // Another issuer with the same privateKeySecretRef may be faster: its key is ours too.
  const stored = await createOrGet(context.api, secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: { name: ref.name, namespace, labels: { [controlledSecretLabel]: 'true' } },
    data: { [ref.key ?? tlsPrivateKeyKey]: Buffer.from(pem).toString('base64') },
  });
  return valueIn(stored, ref, 'spec.acme.privateKeySecretRef', tlsPrivateKeyKey);
}

/**
 * The hash of an account key as `status.acme.lastPrivateKeyHash` has it: SHA-256 of the private key's DER, in base64. In
 * cert-manager's form (PKCS #1 for RSA, PKCS #8 for others), so that neither registers again what the other did.
 */
export function accountKeyHash(pem: string): string {
  const key = parsePrivateKey(pem);
  const type = key.asymmetricKeyType === 'rsa' ? 'pkcs1' : 'pkcs8';
  return createHash('sha256')
    .update(key.export({ format: 'der', type }))
    .digest('base64');
}

/** The value that a Secret reference of an issuer leads to; a TerminalError that names the field where it is not there. */
export function readSecretValue(
  context: IssuerContext,
  issuer: Issuer,
  ref: NamedValue,
  field: string,
): string {
  const secret = secretOfIssuer(context, issuer, ref.name);
  if (secret === undefined) {
    const namespace = secretNamespaceOf(context, issuer);
    throw new TerminalError(`Secret "${namespace}/${ref.name}" of ${field} does not exist; create it.`, {
      code: accountKeyMissing,
    });
  }
  return valueIn(secret, ref, field, '');
}

function valueIn(secret: Secret, ref: NamedValue, field: string, defaultEntry: string): string {
  const entry = ref.key ?? defaultEntry;
  const encoded = secret.data?.[entry];
  if (encoded !== undefined && encoded !== '') return Buffer.from(encoded, 'base64').toString();
  throw new TerminalError(
    `Secret "${secret.metadata.namespace ?? ''}/${ref.name}" of ${field} has no entry ${quoted(entry)}; add it.`,
    { code: accountKeyMissing },
  );
}

import type { Certificate } from '../../api/cert-manager/certificate.ts';
import { secrets } from '../../api/kubernetes/secret.ts';
import type { ObjectKey } from '../../api/meta.ts';
import { quoted } from '../../issuers/sentence.ts';
import type { Caches } from '../../kube/caches.ts';
import type { Violation } from './checks.ts';
import { secretText } from './stored-pair.ts';

/** Reason of the Ready condition, and of the event, where a keystore is asked for and its password cannot be had. */
export const keystorePasswordReason = 'KeystorePasswordMissing';

export const keystoreKinds = ['jks', 'pkcs12'] as const;
export type KeystoreKind = (typeof keystoreKinds)[number];

/** The password of a keystore, or why there is none. */
export type KeystorePassword = { readonly text: string } | { readonly problem: string };

/** A password for each keystore that is to be made. */
export type KeystorePasswords = Readonly<Partial<Record<KeystoreKind, KeystorePassword>>>;

/** Looks the passwords up that the spec names. */
export function keystorePasswords(caches: Caches, certificate: Certificate): KeystorePasswords {
  const { keystores } = certificate.spec;
  const wanted = keystoreKinds.filter(kind => keystores?.[kind]?.create === true);
  return Object.fromEntries(wanted.map(kind => [kind, passwordOf(caches, certificate, kind)]));
}

/** The Secrets that hold the passwords of a Certificate's keystores. */
export function passwordSecretsOf({ metadata, spec }: Certificate): ObjectKey[] {
  return keystoreKinds.flatMap(kind => {
    const name = spec.keystores?.[kind]?.passwordSecretRef?.name;
    return name === undefined ? [] : [{ namespace: metadata.namespace ?? '', name }];
  });
}

/** What is wrong with the passwords, for people. */
export function passwordViolation(passwords: KeystorePasswords): Violation | undefined {
  const problems = keystoreKinds.flatMap(kind => {
    const password = passwords[kind];
    return password !== undefined && 'problem' in password ? [password.problem] : [];
  });
  if (problems.length === 0) return undefined;
  return { reason: keystorePasswordReason, message: problems.join(' ') };
}

function passwordOf(caches: Caches, { metadata, spec }: Certificate, kind: KeystoreKind): KeystorePassword {
  const { password, passwordSecretRef } = spec.keystores?.[kind] ?? {};
  if (password !== undefined) return { text: password };
  const field = `spec.keystores.${kind}.passwordSecretRef`;
  const { name = '', key = '' } = passwordSecretRef ?? {};
  const without = `The keystores of spec.keystores.${kind} wait for their password`;
  if (key === '')
    return { problem: `${without}: ${field}.key is missing; name the entry of Secret ${quoted(name)}.` };
  const secret = caches.cacheOf(secrets).get({ namespace: metadata.namespace ?? '', name });
  if (secret === undefined)
    return {
      problem: `${without}: Secret ${quoted(name)} of ${field} does not exist; create it with ${key}.`,
    };
  const text = secretText(secret, key);
  if (text === undefined)
    return {
      problem: `${without}: Secret ${quoted(name)} of ${field} has no ${key}, or an empty one; set it.`,
    };
  return { text };
}

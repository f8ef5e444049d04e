import type { FullIssuerRef } from '../../api/cert-manager/issuer-ref.ts';
import {
  type Secret,
  tlsCaKey,
  tlsCertificateKey,
  tlsPrivateKeyKey,
  tlsSecretType,
} from '../../api/kubernetes/secret.ts';
import { controlledSecretLabel } from '../../api/labels.ts';
import { parseCertificate } from '../../pki/certificate.ts';
import { keystoreAnnotations, keystoreEntries, keystoresOf } from './keystores.ts';
import { withOutputFormats } from './output-formats.ts';
import { optionalFacts, secretFacts } from './secret-facts.ts';
import { ownersOf } from './secret-owners.ts';
import { keysOf, recordedKeys, recordOf } from './secret-template.ts';
import type { CertificateState } from './state.ts';

/** A key with the certificate chain that belongs to it, all PEM. */
export interface KeyPair {
  readonly privateKey: string;
  readonly chain: string;
  readonly ca: string | undefined;
}

/** How the Secret is to be made. */
export interface SecretOptions {
  /** The Secret goes with its Certificate. */
  readonly isOwned: boolean;
  /** Who has signed the pair. */
  readonly issuer: FullIssuerRef;
  readonly nowMs: number;
}

/**
 * The Secret as it should be with this pair in it. What others put there (labels, annotations, owners, further data, a
 * type of their own) stays. What is ours goes when the spec asks for it no more: keystores by their names, output formats
 * by their content, labels and annotations of secretTemplate by the record of them, our owner reference by its form.
 * Throws a PkiError for a chain that does not parse.
 */
export async function secretWith(
  state: CertificateState,
  pair: KeyPair,
  { isOwned, issuer, nowMs }: SecretOptions,
): Promise<Secret> {
  const { certificate, secret: current, pair: stored } = state;
  const keystores = await keystoresOf(state, pair, nowMs);
  const kept = without(current?.data, [tlsCaKey, ...keystoreEntries]);
  const { annotations, labels } = metadataOf(state, pair, issuer, keystores.annotations);
  const ownerReferences = ownersOf(certificate, current, isOwned);
  const { ownerReferences: _owners, ...metadata } = current?.metadata ?? {
    name: certificate.spec.secretName,
    namespace: certificate.metadata.namespace,
  };
  return {
    ...(current ?? { apiVersion: 'v1', kind: 'Secret', type: tlsSecretType }),
    metadata: {
      ...metadata,
      annotations,
      labels,
      ...(ownerReferences.length > 0 && { ownerReferences }),
    },
    data: {
      ...withOutputFormats(kept, certificate, pair, stored),
      ...entry(tlsPrivateKeyKey, pair.privateKey, stored?.privateKey, current),
      ...entry(tlsCertificateKey, pair.chain, stored?.chain, current),
      ...entry(tlsCaKey, pair.ca, stored?.ca, current),
      ...keystores.data,
    },
  };
}

function metadataOf(
  { certificate, secret: current }: CertificateState,
  pair: KeyPair,
  issuer: FullIssuerRef,
  keystoreDigests: Readonly<Record<string, string>>,
): { annotations: Record<string, string>; labels: Record<string, string> } {
  const { secretTemplate } = certificate.spec;
  const had = recordedKeys(current);
  const gone = [...had.annotations, ...Object.keys(recordOf(had)), ...optionalFacts, ...keystoreAnnotations];
  return {
    annotations: {
      ...without(current?.metadata.annotations, gone),
      ...secretTemplate?.annotations,
      ...secretFacts(certificate, parseCertificate(pair.chain), issuer),
      ...recordOf(keysOf(secretTemplate)),
      ...keystoreDigests,
    },
    labels: {
      ...without(current?.metadata.labels, had.labels),
      ...secretTemplate?.labels,
      [controlledSecretLabel]: 'true',
    },
  };
}

function without(
  values: Readonly<Record<string, string>> | undefined,
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(Object.entries(values ?? {}).filter(([name]) => !names.includes(name)));
}

/** One entry of the data. What says the same already stays to the last octet, which need not be text. */
function entry(
  name: string,
  text: string | undefined,
  stored: string | undefined,
  current: Secret | undefined,
): Record<string, string> {
  const found = current?.data?.[name];
  if (text === stored && found !== undefined) return { [name]: found };
  return text === undefined ? {} : { [name]: Buffer.from(text).toString('base64') };
}

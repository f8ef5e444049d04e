import { isDeepStrictEqual } from 'node:util';
import { deleteSecretAnnotation, secretTemplateKeysAnnotation } from '../../api/annotations.ts';
import type { Certificate } from '../../api/cert-manager/certificate.ts';
import { type Secret, tlsPrivateKeyKey } from '../../api/kubernetes/secret.ts';
import { issuanceReasons, secretReasons } from '../../api/reasons.ts';
import { quoted } from '../../issuers/sentence.ts';
import type { Violation } from './checks.ts';
import { keystoreAnnotations, keystoreEntries } from './keystores.ts';
import { formatEntries } from './output-formats.ts';
import { optionalFacts } from './secret-facts.ts';
import { keysOf, recordedKeys } from './secret-template.ts';

/** What of a Secret is not as it should be. */
interface Differences {
  readonly annotations: readonly string[];
  readonly labels: readonly string[];
  readonly data: readonly string[];
  readonly hasOtherOwners: boolean;
}

/** Why a Secret whose pair is right is written again without issuing, in `wanted`'s form; undefined where it is as it should be. */
export function secretMismatch(
  { spec }: Certificate,
  current: Secret,
  wanted: Secret,
): Violation | undefined {
  const found = differences(current, wanted);
  const template = keysOf(spec.secretTemplate);
  const had = recordedKeys(current);
  const name = `Secret ${quoted(current.metadata.name)}`;
  const templateKeys = new Set([...template.annotations, ...had.annotations, secretTemplateKeysAnnotation]);
  const templateLabels = new Set([...template.labels, ...had.labels]);
  const isAmong = (names: readonly string[], changed: readonly string[]): boolean =>
    changed.some(each => names.includes(each));
  if (
    found.annotations.some(each => templateKeys.has(each)) ||
    found.labels.some(each => templateLabels.has(each))
  ) {
    const message = `The labels and annotations of ${name} were not those of spec.secretTemplate.`;
    return { reason: secretReasons.secretTemplateMismatch, message };
  }
  if (isAmong(formatEntries, found.data)) {
    const message = `${name} had not the entries that spec.additionalOutputFormats asks for.`;
    return { reason: secretReasons.additionalOutputFormatsMismatch, message };
  }
  if (found.hasOtherOwners) {
    const message = `The owner references of ${name} were not as --enable-certificate-owner-ref and the annotation ${deleteSecretAnnotation} ask.`;
    return { reason: secretReasons.secretOwnerRefMismatch, message };
  }
  if (isAmong(keystoreEntries, found.data) || isAmong(keystoreAnnotations, found.annotations)) {
    const message = `${name} had not the keystores that spec.keystores asks for.`;
    return { reason: secretReasons.secretKeystoreMismatch, message };
  }
  if (found.data.includes(tlsPrivateKeyKey)) {
    const message = `The private key in ${name} was not encoded as spec.privateKey.encoding asks.`;
    return { reason: issuanceReasons.secretMismatch, message };
  }
  if (found.annotations.length + found.labels.length + found.data.length === 0) return undefined;
  const message = `The labels and annotations of ${name} did not say what is in it.`;
  return { reason: secretReasons.secretManagedMetadataMismatch, message };
}

/** Whether the change is one that an immutable Secret refuses. */
export function changesData(current: Secret, wanted: Secret): boolean {
  return differingNames(current.data, wanted.data).length > 0;
}

/** Annotations whose absence alone is not worth a write: so what cert-manager has left, of any version, stays as it is. */
const unmissed: ReadonlySet<string> = new Set([secretTemplateKeysAnnotation, ...optionalFacts]);

function differences(current: Secret, wanted: Secret): Differences {
  const annotations = differingNames(current.metadata.annotations, wanted.metadata.annotations);
  return {
    annotations: annotations.filter(
      each => !unmissed.has(each) || current.metadata.annotations?.[each] !== undefined,
    ),
    labels: differingNames(current.metadata.labels, wanted.metadata.labels),
    data: differingNames(current.data, wanted.data),
    hasOtherOwners: !isDeepStrictEqual(
      (current.metadata.ownerReferences ?? []).map(each => ({ ...each })),
      (wanted.metadata.ownerReferences ?? []).map(each => ({ ...each })),
    ),
  };
}

function differingNames(a: Readonly<Record<string, string>> = {}, b: Readonly<Record<string, string>> = {}) {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter(name => a[name] !== b[name]);
}

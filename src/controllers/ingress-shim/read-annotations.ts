import {
  durationAnnotation,
  privateKeyAlgorithmAnnotation,
  privateKeySizeAnnotation,
  renewBeforeAnnotation,
  renewBeforePercentageAnnotation,
} from '../../api/annotations.ts';
import type { CertificateSpec } from '../../api/cert-manager/certificate.ts';
import { defaultDuration, minimumRenewBeforeMs } from '../../api/cert-manager/certificate-times.ts';
import type { Ingress } from '../../api/kubernetes/ingress.ts';
import { parseDuration } from '../../core/duration.ts';
import { type CertificateDraft, certificateAnnotations } from './certificate-annotations.ts';

/** What the annotations of an Ingress say about its Certificates, and what is wrong with them: one sentence for each. */
export interface AnnotationsRead extends CertificateDraft {
  readonly problems: readonly string[];
}

/**
 * Reads every annotation of the table. `extra` are keys that are copied as they are (--extra-certificate-annotations).
 * Each problem begins with the annotation's key.
 */
export function readAnnotations(ingress: Ingress, extra: readonly string[]): AnnotationsRead {
  const given = ingress.metadata.annotations ?? {};
  const draft: CertificateDraft = { spec: {}, annotations: {} };
  for (const key of extra) {
    const value = given[key];
    if (value !== undefined) draft.annotations[key] = value;
  }
  const bad = new Map<string, string>();
  for (const { key, put } of certificateAnnotations) {
    const text = given[key];
    const wanted = text === undefined ? undefined : put(text, draft, ingress);
    if (wanted !== undefined) bad.set(key, wanted);
  }
  for (const { key, others, wanted } of pairRules) {
    if (!(key in given) || [key, ...others].some(one => bad.has(one))) continue;
    const found = wanted(draft.spec);
    if (found !== undefined) bad.set(key, found);
  }
  return {
    ...draft,
    problems: [...bad].map(([key, wanted]) => `${key} ${shown(given[key] ?? '')} ${wanted}`),
  };
}

interface PairRule {
  readonly key: string;
  /** Looked at together with `key`: nothing is said where one of them is bad by itself. */
  readonly others: readonly string[];
  /** What is wanted of the value of `key`, where it does not fit the others. */
  readonly wanted: (spec: Partial<CertificateSpec>) => string | undefined;
}

const lifetimeMs = (spec: Partial<CertificateSpec>): number =>
  parseDuration(spec.duration ?? defaultDuration) ?? Infinity;

const ecdsaSizes: readonly number[] = [256, 384, 521];

const pairRules: readonly PairRule[] = [
  {
    key: renewBeforePercentageAnnotation,
    others: [renewBeforeAnnotation],
    wanted: spec =>
      spec.renewBefore === undefined
        ? undefined
        : `must not stand together with ${renewBeforeAnnotation}: remove one of the two`,
  },
  {
    key: renewBeforePercentageAnnotation,
    others: [renewBeforeAnnotation, durationAnnotation],
    wanted: spec =>
      (lifetimeMs(spec) * (spec.renewBeforePercentage ?? 100)) / 100 >= minimumRenewBeforeMs
        ? undefined
        : `must leave 5m or more of the lifetime: raise it, or lengthen ${durationAnnotation}`,
  },
  {
    key: renewBeforeAnnotation,
    others: [durationAnnotation],
    wanted: spec =>
      (parseDuration(spec.renewBefore ?? '0') ?? 0) < lifetimeMs(spec)
        ? undefined
        : `must be shorter than the lifetime (${spec.duration ?? defaultDuration}): shorten it, or lengthen ${durationAnnotation}`,
  },
  {
    key: privateKeySizeAnnotation,
    others: [privateKeyAlgorithmAnnotation],
    wanted({ privateKey: { algorithm = 'RSA', size = 0 } = {} }) {
      if (algorithm === 'RSA' && (size < 2048 || size > 8192)) return 'must be 2048 to 8192 for an RSA key';
      if (algorithm === 'ECDSA' && !ecdsaSizes.includes(size))
        return 'must be 256, 384 or 521 for an ECDSA key';
      return undefined;
    },
  },
];

/** A value as a message shows it: short, and on one line. */
function shown(value: string): string {
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
}

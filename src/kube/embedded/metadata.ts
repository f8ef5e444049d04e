import { randomInt } from 'node:crypto';
import type { KubeObject, ObjectMeta } from '../../api/meta.ts';
import { type Problem, problemAt } from '../../api/problem.ts';
import type { Resource } from '../../api/resource.ts';
import {
  dns1035LabelHint,
  dnsLabelHint,
  dnsSubdomainHint,
  isDns1035Label,
  isDnsLabel,
  isDnsSubdomain,
  isLabelValue,
  isQualifiedName,
} from '../../api/syntax.ts';

/** As in Kubernetes, all annotations of an object together. */
const maxAnnotationBytes = 256 * 1024;

/** Without vowels and look-alikes, as in Kubernetes' names. */
const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;
const maxGeneratedBase = 63 - suffixLength;

/** A name from a `generateName`: at most 63 characters, the last five random. */
export function generatedName(base: string): string {
  const suffix = Array.from({ length: suffixLength }, () => suffixAlphabet[randomInt(suffixAlphabet.length)]);
  return base.slice(0, maxGeneratedBase) + suffix.join('');
}

function isFilled(value: object | undefined | null): boolean {
  return value !== undefined && value !== null && Object.keys(value).length > 0;
}

/** The metadata that a client decides, without what is empty. What else it sent is left out. */
export function clientMetadata(
  metadata: ObjectMeta,
): Pick<ObjectMeta, 'labels' | 'annotations' | 'finalizers' | 'ownerReferences'> {
  const { labels, annotations, finalizers, ownerReferences } = metadata;
  return {
    ...(isFilled(labels) ? { labels } : {}),
    ...(isFilled(annotations) ? { annotations } : {}),
    ...(isFilled(finalizers) ? { finalizers: [...new Set(finalizers)] } : {}),
    ...(isFilled(ownerReferences) ? { ownerReferences } : {}),
  };
}

const qualifiedHint =
  'has no valid name: use letters, digits, "-", "_" and ".", 63 at most, perhaps after a DNS name and "/"';
const labelValueHint = 'must be empty, or letters, digits, "-", "_" and ".", 63 at most';

function* nameProblems(resource: Resource<KubeObject>, object: KubeObject): Generator<Problem> {
  const { name, namespace } = object.metadata;
  const at = ['metadata', 'name'];
  if (name === undefined || name === '') {
    yield problemAt(object, at, 'is missing: set it, or metadata.generateName');
  } else if (resource.group === '' && resource.kind === 'Service') {
    if (!isDns1035Label(name)) yield problemAt(object, at, dns1035LabelHint);
  } else if (!isDnsSubdomain(name)) {
    yield problemAt(object, at, dnsSubdomainHint);
  }
  if (!resource.namespaced) return;
  if (namespace === undefined || namespace === '') {
    yield problemAt(object, ['metadata', 'namespace'], 'is missing: set it to the name of a namespace');
  } else if (!isDnsLabel(namespace)) {
    yield problemAt(object, ['metadata', 'namespace'], dnsLabelHint);
  }
}

function* mapProblems(object: KubeObject, field: 'labels' | 'annotations'): Generator<Problem> {
  const map: unknown = object.metadata[field];
  if (map === undefined) return;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    yield problemAt(object, ['metadata', field], 'must be a map of keys to values');
    return;
  }
  for (const [key, value] of Object.entries(map)) {
    const at = ['metadata', field, key];
    if (!isQualifiedName(field === 'annotations' ? key.toLowerCase() : key)) {
      yield problemAt(object, at, qualifiedHint);
    } else if (typeof value !== 'string') {
      yield problemAt(object, at, 'must be text: put quotes around it');
    } else if (field === 'labels' && !isLabelValue(value)) {
      yield problemAt(object, at, labelValueHint);
    }
  }
}

function* ownerProblems(object: KubeObject): Generator<Problem> {
  const owners = object.metadata.ownerReferences ?? [];
  for (const [index, owner] of owners.entries()) {
    for (const field of ['apiVersion', 'kind', 'name', 'uid'] as const) {
      if (typeof owner[field] === 'string' && owner[field] !== '') continue;
      yield problemAt(object, ['metadata', 'ownerReferences', index, field], 'is missing: set it');
    }
  }
  if (owners.filter(owner => owner.controller === true).length > 1) {
    yield problemAt(object, ['metadata', 'ownerReferences'], 'must have one controller at most');
  }
}

/**
 * What is wrong with an object's metadata, by the rules of Kubernetes (apimachinery, ValidateObjectMeta).
 * Namespaces need not exist: in the embedded store they are implicit.
 */
export function* metadataProblems(resource: Resource<KubeObject>, object: KubeObject): Generator<Problem> {
  yield* nameProblems(resource, object);
  yield* mapProblems(object, 'labels');
  yield* mapProblems(object, 'annotations');
  const annotationBytes = Buffer.byteLength(JSON.stringify(object.metadata.annotations ?? {}));
  if (annotationBytes > maxAnnotationBytes) {
    const wanted = `must have ${maxAnnotationBytes} bytes at most; these are ${annotationBytes}`;
    yield problemAt(object, ['metadata', 'annotations'], wanted);
  }
  for (const [index, finalizer] of (object.metadata.finalizers ?? []).entries()) {
    if (typeof finalizer === 'string' && isQualifiedName(finalizer)) continue;
    yield problemAt(object, ['metadata', 'finalizers', index], qualifiedHint);
  }
  yield* ownerProblems(object);
}

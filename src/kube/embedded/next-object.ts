import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { KubeObject, ObjectKey, ObjectMeta } from '../../api/meta.ts';
import { keyOf, keyText } from '../../api/meta.ts';
import { type Problem, problemAt } from '../../api/problem.ts';
import type { Resource } from '../../api/resource.ts';
import { apiVersionOf, resourceId } from '../../api/resource.ts';
import { rfc3339 } from '../../core/clock.ts';
import { KubeError } from '../errors.ts';
import { applyMergePatch } from './merge-patch.ts';
import { clientMetadata, generatedName, metadataProblems } from './metadata.ts';
import { InvalidObjectError, type Validate } from './validation.ts';

/*
 * What a write makes of an object, without the store: pure but for uids and generated names. Objects in are
 * the caller's; objects out are new, and carry no resourceVersion.
 */

type Loose = KubeObject & Record<string, unknown>;

/** What the store does with an object that is live. */
export type Outcome =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'written'; readonly object: KubeObject }
  | { readonly kind: 'removed'; readonly object: KubeObject };

/** A copy as JSON has it, that shares nothing with the caller's object. */
function copyOf(resource: Resource<KubeObject>, object: KubeObject): Loose {
  const copy = JSON.parse(JSON.stringify(object)) as Loose;
  const apiVersion = apiVersionOf(resource);
  const problems: Problem[] = [];
  if (typeof copy.metadata !== 'object' || copy.metadata === null) {
    copy.metadata = {};
    problems.push(problemAt(object, ['metadata'], 'is missing: set it to a map of fields'));
  }
  if ((copy.apiVersion ?? apiVersion) !== apiVersion) {
    problems.push(problemAt(copy, ['apiVersion'], `must be ${apiVersion}`));
  }
  if ((copy.kind ?? resource.kind) !== resource.kind) {
    problems.push(problemAt(copy, ['kind'], `must be ${resource.kind}`));
  }
  if (problems.length > 0) throw new InvalidObjectError(resource, copy, problems);
  return copy;
}

/** The object with the fields that head it first, and without a version. */
function assemble(
  resource: Resource<KubeObject>,
  metadata: ObjectMeta,
  content: Record<string, unknown>,
): Loose {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata, ...content };
}

/** What an object holds beside its head, status included. */
function contentOf(object: KubeObject): Record<string, unknown> {
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...content } = object as Loose;
  return content;
}

function withoutStatus(content: Record<string, unknown>): Record<string, unknown> {
  const { status: _, ...rest } = content;
  return rest;
}

/** Whether the kind counts generations: those with a desired state. */
function countsGenerations(resource: Resource<KubeObject>, object: KubeObject): boolean {
  return resource.hasStatus || 'spec' in object;
}

function checkMetadata(resource: Resource<KubeObject>, object: KubeObject): void {
  const problems = [...metadataProblems(resource, object)];
  if (problems.length > 0) throw new InvalidObjectError(resource, object, problems);
}

function checkContent(
  resource: Resource<KubeObject>,
  object: Loose,
  before: KubeObject | undefined,
  validate: Validate,
): Loose {
  const validated = validate(resource, object, before);
  if (validated.problems.length > 0) throw new InvalidObjectError(resource, object, validated.problems);
  // The schema has its say on the content; the metadata has been decided here.
  return assemble(
    resource,
    object.metadata,
    contentOf(JSON.parse(JSON.stringify(validated.object)) as Loose),
  );
}

/** The object that a create stores. */
export function createdObject(
  resource: Resource<KubeObject>,
  input: KubeObject,
  options: { readonly nowMs: number; readonly validate: Validate },
): KubeObject {
  const copy = copyOf(resource, input);
  const { metadata } = copy;
  if (metadata.resourceVersion !== undefined && metadata.resourceVersion !== '') {
    throw new InvalidObjectError(resource, copy, [
      problemAt(copy, ['metadata', 'resourceVersion'], 'must not be set on an object that is created'),
    ]);
  }
  const { generateName } = metadata;
  const name = metadata.name || (generateName ? generatedName(generateName) : undefined);
  const content = resource.hasStatus ? withoutStatus(contentOf(copy)) : contentOf(copy);
  const draft = assemble(
    resource,
    {
      ...(name === undefined ? {} : { name }),
      ...(generateName === undefined ? {} : { generateName }),
      ...(resource.namespaced && metadata.namespace !== undefined ? { namespace: metadata.namespace } : {}),
      uid: randomUUID(),
      ...(countsGenerations(resource, copy) ? { generation: 1 } : {}),
      creationTimestamp: rfc3339(options.nowMs),
      ...clientMetadata(metadata),
    },
    content,
  );
  checkMetadata(resource, draft);
  return checkContent(resource, draft, undefined, options.validate);
}

function bareMetadata(object: KubeObject): ObjectMeta {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return metadata;
}

function conflict(resource: Resource<KubeObject>, key: ObjectKey, why: string): never {
  throw new KubeError('KUBE_CONFLICT', `${resourceId(resource)} ${JSON.stringify(keyText(key))}: ${why}`);
}

/** Throws CONFLICT where the live object is another one, or another version, than the one that is meant. */
export function checkPreconditions(
  resource: Resource<KubeObject>,
  live: KubeObject,
  meant: { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined },
): void {
  const key = keyOf(live);
  if (meant.uid !== undefined && meant.uid !== '' && meant.uid !== live.metadata.uid) {
    conflict(resource, key, 'it is another object of the same name by now');
  }
  const { resourceVersion } = meant;
  if (
    resourceVersion !== undefined &&
    resourceVersion !== '' &&
    resourceVersion !== live.metadata.resourceVersion
  ) {
    conflict(
      resource,
      key,
      'it has been changed since; read it again and apply the change to what stands there now',
    );
  }
}

function checkIsUpdateOf(resource: Resource<KubeObject>, live: KubeObject, copy: Loose): void {
  const { resourceVersion } = copy.metadata;
  if (resourceVersion === undefined || resourceVersion === '') {
    throw new InvalidObjectError(resource, copy, [
      problemAt(
        copy,
        ['metadata', 'resourceVersion'],
        'is missing: an update names the version that it changes',
      ),
    ]);
  }
  checkPreconditions(resource, live, copy.metadata);
}

/** What an update of everything but the status does. `live` is what is stored, with its version. */
export function updatedObject(
  resource: Resource<KubeObject>,
  live: KubeObject,
  input: KubeObject,
  validate: Validate,
): Outcome {
  const copy = copyOf(resource, input);
  checkIsUpdateOf(resource, live, copy);
  const liveContent = contentOf(live);
  const status = 'status' in liveContent ? { status: liveContent['status'] } : {};
  const content = resource.hasStatus ? { ...withoutStatus(contentOf(copy)), ...status } : contentOf(copy);

  const { labels: _l, annotations: _a, finalizers: _f, ownerReferences: _o, ...kept } = bareMetadata(live);
  let next = assemble(resource, { ...kept, ...clientMetadata(copy.metadata) }, content);
  checkMetadata(resource, next);
  const deleting = live.metadata.deletionTimestamp !== undefined;
  const added = next.metadata.finalizers?.find(finalizer => !live.metadata.finalizers?.includes(finalizer));
  if (deleting && added !== undefined) {
    const wanted = `must not have ${added} added while the object is being deleted`;
    throw new InvalidObjectError(resource, next, [problemAt(next, ['metadata', 'finalizers'], wanted)]);
  }
  // What is stored has been checked. So a label, or a finalizer, can be changed under a stricter schema too.
  if (!isDeepStrictEqual(content, liveContent)) next = checkContent(resource, next, live, validate);
  if (!isDeepStrictEqual(withoutStatus(contentOf(next)), withoutStatus(liveContent))) {
    next = withNextGeneration(next);
  }
  if (deleting && next.metadata.finalizers === undefined) return { kind: 'removed', object: next };
  return outcomeOf(resource, live, next);
}

function withNextGeneration(object: Loose): Loose {
  const { generation } = object.metadata;
  if (generation === undefined) return object;
  return { ...object, metadata: { ...object.metadata, generation: generation + 1 } };
}

/**
 * The live object with an RFC 7386 merge patch on it, to be stored as an update. A version in the patch must be
 * the live one, as in any update; the name and the namespace stay.
 */
export function patchedObject(resource: Resource<KubeObject>, live: KubeObject, patch: object): KubeObject {
  const patched = copyOf(resource, applyMergePatch(live, patch) as KubeObject);
  const { name, namespace, resourceVersion = live.metadata.resourceVersion } = patched.metadata;
  const problems = [
    ...(name === live.metadata.name ? [] : [problemAt(patched, ['metadata', 'name'], 'must not be changed')]),
    ...(namespace === live.metadata.namespace
      ? []
      : [problemAt(patched, ['metadata', 'namespace'], 'must not be changed')]),
  ];
  if (problems.length > 0) throw new InvalidObjectError(resource, live, problems);
  return { ...patched, metadata: { ...patched.metadata, resourceVersion } };
}

/** What an update of the status alone does. */
export function objectWithStatus(
  resource: Resource<KubeObject>,
  live: KubeObject,
  input: KubeObject,
  validate: Validate,
): Outcome {
  const copy = copyOf(resource, input);
  checkIsUpdateOf(resource, live, copy);
  const status = 'status' in copy ? { status: copy['status'] } : {};
  const next = assemble(resource, bareMetadata(live), { ...withoutStatus(contentOf(live)), ...status });
  if (isDeepStrictEqual(contentOf(next), contentOf(live))) return { kind: 'unchanged' };
  const { status: validated } = checkContent(resource, next, live, validate);
  const { status: _, ...rest } = next;
  return outcomeOf(resource, live, validated === undefined ? rest : { ...rest, status: validated });
}

function outcomeOf(resource: Resource<KubeObject>, live: KubeObject, next: Loose): Outcome {
  const same = isDeepStrictEqual(next, assemble(resource, bareMetadata(live), contentOf(live)));
  return same ? { kind: 'unchanged' } : { kind: 'written', object: next };
}

/** What a delete does: with finalizers left the object stays, marked. */
export function deletedObject(resource: Resource<KubeObject>, live: KubeObject, nowMs: number): Outcome {
  const bare = assemble(resource, bareMetadata(live), contentOf(live));
  if ((live.metadata.finalizers ?? []).length === 0) return { kind: 'removed', object: bare };
  if (live.metadata.deletionTimestamp !== undefined) return { kind: 'unchanged' };
  const metadata = { ...bare.metadata, deletionTimestamp: rfc3339(nowMs), deletionGracePeriodSeconds: 0 };
  return { kind: 'written', object: withNextGeneration({ ...bare, metadata }) };
}

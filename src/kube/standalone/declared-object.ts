import { convertEmissary, isEmissaryObject } from '../../api/getambassador/conversion.ts';
import { ingressClasses } from '../../api/kubernetes/ingress-class.ts';
import { convertIngress, isOldIngress } from '../../api/kubernetes/ingress-conversion.ts';
import type { KubeObject, ObjectKey } from '../../api/meta.ts';
import { keyOf } from '../../api/meta.ts';
import type { Problem } from '../../api/problem.ts';
import type { Resource } from '../../api/resource.ts';
import { apiVersionOf } from '../../api/resource.ts';
import { isUnneeded, manifestResources } from './manifest-kinds.ts';

/** What is wrong with a document, by field: `''` is the document itself. */
export type FieldProblem = Pick<Problem, 'field' | 'message'>;

/** What a document of a manifest stands for. */
export type Declaration =
  | {
      readonly kind: 'declared';
      readonly resource: Resource<KubeObject>;
      readonly key: ObjectKey;
      readonly object: KubeObject;
    }
  /** A kind that standalone mode has no use for. */
  | { readonly kind: 'unneeded'; readonly what: string }
  /** It has a name, but a kind or a version that is not known, or mistakes that keep it from being converted. */
  | { readonly kind: 'unusable'; readonly key: ObjectKey; readonly problems: readonly FieldProblem[] }
  /** What it declares cannot be told. */
  | { readonly kind: 'unidentified'; readonly problem: FieldProblem };

type Json = Record<string, unknown>;

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A copy without nulls, which stand for absence in a manifest. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isJson(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, child]) => child !== null && child !== undefined)
      .map(([key, child]) => [key, withoutNulls(child)]),
  );
}

/** Holds a copy of the whole manifest, of a Secret too; it means nothing here. */
const kubectlAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * What a user decides of an object's metadata. What a server gives (uid, version, times), finalizers and
 * owners are left out, so that the output of `kubectl get -o yaml` is a manifest.
 */
function declaredMetadata(metadata: Json, namespaced: boolean): Json {
  const { name, namespace, labels, annotations } = metadata;
  const kept = isJson(annotations)
    ? Object.fromEntries(Object.entries(annotations).filter(([key]) => key !== kubectlAnnotation))
    : annotations;
  return {
    name,
    ...(namespaced ? { namespace: namespace ?? 'default' } : {}),
    ...(labels === undefined ? {} : { labels }),
    ...(kept === undefined ? {} : { annotations: kept }),
  };
}

/** Moves `stringData` to `data`, where it wins, as the API server does. Values that are no text are left to be refused. */
function withFoldedStringData(content: Json): Json {
  const { stringData, ...rest } = content;
  if (!isJson(stringData) || !Object.values(stringData).every(value => typeof value === 'string'))
    return content;
  const folded = Object.fromEntries(
    Object.entries(stringData).map(([key, value]) => [key, Buffer.from(String(value)).toString('base64')]),
  );
  return { ...rest, data: { ...(isJson(rest['data']) ? rest['data'] : {}), ...folded } };
}

interface Identity {
  readonly apiVersion: string;
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

function identityOf(content: Json): Identity | FieldProblem {
  const { apiVersion, kind, metadata } = content;
  if (typeof kind !== 'string' || kind === '') {
    return { field: 'kind', message: 'kind is missing: set it to "Ingress", say' };
  }
  if (typeof apiVersion !== 'string' || !/^[^/\s]+(\/[^/\s]+)?$/.test(apiVersion)) {
    const message = 'apiVersion is missing, or is no version: set it to "networking.k8s.io/v1", say';
    return { field: 'apiVersion', message };
  }
  const slash = apiVersion.indexOf('/');
  const group = slash < 0 ? '' : apiVersion.slice(0, slash);
  const { name, namespace = 'default' } = isJson(metadata) ? metadata : {};
  if (typeof name !== 'string' || name === '') {
    return {
      field: 'metadata.name',
      message: `metadata.name of the ${kind} is missing, or is no text: set it`,
    };
  }
  if (typeof namespace !== 'string') {
    const message = `metadata.namespace of ${kind} ${JSON.stringify(name)} must be text: put quotes around it`;
    return { field: 'metadata.namespace', message };
  }
  return { apiVersion, group, kind, name, namespace };
}

/** The content in the version that the store has, where it is of an older one that can be read. */
function inStoredVersion({ apiVersion, kind }: Identity, content: Json): Json | readonly FieldProblem[] {
  if (isOldIngress({ apiVersion, kind })) {
    const { ingress, problems } = convertIngress(content);
    return ingress === undefined ? problems : { ...ingress };
  }
  if (isEmissaryObject({ apiVersion, kind })) return convertEmissary(content);
  // v1 has the same fields.
  if (kind === ingressClasses.kind && apiVersion === `${ingressClasses.group}/v1beta1`) {
    return { ...content, apiVersion: apiVersionOf(ingressClasses) };
  }
  return content;
}

function whyUnknown({ apiVersion, group, kind }: Identity): FieldProblem {
  const sibling = manifestResources.find(resource => resource.kind === kind && resource.group === group);
  if (sibling !== undefined) {
    const message = `${kind} of ${apiVersion} is not known: write it as ${apiVersionOf(sibling)}`;
    return { field: 'apiVersion', message };
  }
  const message = `${kind} of ${apiVersion} is not a kind that Postern knows: correct it, or take it out of this folder`;
  return { field: 'kind', message };
}

/** What a document declares: the object as the store takes it, or what it is instead. */
export function declarationOf(content: unknown): Declaration {
  const clean = withoutNulls(content);
  if (!isJson(clean)) {
    const message = 'This is no Kubernetes object: a map of fields is wanted';
    return { kind: 'unidentified', problem: { field: '', message } };
  }
  const identity = identityOf(clean);
  if ('message' in identity) return { kind: 'unidentified', problem: identity };
  const { group, kind, name, namespace } = identity;
  if (isUnneeded(group, kind)) return { kind: 'unneeded', what: kind };
  const stored = inStoredVersion(identity, clean);
  if (Array.isArray(stored)) return { kind: 'unusable', key: { namespace, name }, problems: stored };
  const { metadata, status, ...fields } = stored as Json;
  const resource = manifestResources.find(
    candidate => candidate.kind === kind && apiVersionOf(candidate) === fields['apiVersion'],
  );
  if (resource === undefined)
    return { kind: 'unusable', key: { namespace, name }, problems: [whyUnknown(identity)] };
  const isSecret = resource.group === '' && resource.kind === 'Secret';
  const object = {
    ...(isSecret ? withFoldedStringData(fields) : fields),
    ...(resource.hasStatus || status === undefined ? {} : { status }),
    metadata: declaredMetadata(isJson(metadata) ? metadata : {}, resource.namespaced),
  } as unknown as KubeObject;
  return { kind: 'declared', resource, key: keyOf(object), object };
}

import type { z } from 'zod';
import { sameJson } from '../core/same-json.ts';
import { customKinds } from './crd/custom-kinds.ts';
import { emissaryKinds } from './crd/emissary-kinds.ts';
import { endpointSlices } from './kubernetes/endpoint-slice.ts';
import { endpoints } from './kubernetes/endpoints.ts';
import {
  endpointSliceSchema,
  endpointsSchema,
  storedEndpointSlice,
  storedEndpoints,
} from './kubernetes/endpoints-schema.ts';
import { ingresses } from './kubernetes/ingress.ts';
import { ingressClasses } from './kubernetes/ingress-class.ts';
import { ingressClassSchema, ingressClassUpdateProblems } from './kubernetes/ingress-class-schema.ts';
import { ingressCreateProblems, ingressSchema } from './kubernetes/ingress-schema.ts';
import { secrets } from './kubernetes/secret.ts';
import { secretSchema, secretUpdateProblems, storedSecret } from './kubernetes/secret-schema.ts';
import { services } from './kubernetes/service.ts';
import { serviceSchema, storedService } from './kubernetes/service-schema.ts';
import type { KubeObject } from './meta.ts';
import { type Problem, problemAt } from './problem.ts';
import { type Resource, resourceId } from './resource.ts';
import { immutableMessage, isImmutable } from './rules.ts';
import { problemsOfError } from './schema-problems.ts';

/** What an API server makes of an object of one kind. */
interface Kind<T extends KubeObject> {
  readonly schema: z.ZodType;
  /** The object with its defaults. */
  readonly stored?: (object: T) => T;
  readonly createProblems?: (object: T) => Problem[];
  readonly updateProblems?: (before: T, after: T) => Problem[];
}

const kinds = new Map<string, Kind<KubeObject>>();

function declare<T extends KubeObject>(resource: Resource<T>, kind: Kind<T>): void {
  // The resource ties T to the objects that come with its id; that is what the cast says.
  kinds.set(resourceId(resource), kind as unknown as Kind<KubeObject>);
}

declare(ingresses, { schema: ingressSchema, createProblems: ingressCreateProblems });
declare(ingressClasses, { schema: ingressClassSchema, updateProblems: ingressClassUpdateProblems });
declare(secrets, { schema: secretSchema, stored: storedSecret, updateProblems: secretUpdateProblems });
declare(services, { schema: serviceSchema, stored: storedService });
declare(endpoints, { schema: endpointsSchema, stored: storedEndpoints });
declare(endpointSlices, { schema: endpointSliceSchema, stored: storedEndpointSlice });
for (const { resource, schema } of [...customKinds, ...emissaryKinds]) {
  const spec = schema.shape['spec'] as z.ZodType | undefined;
  const kept = spec !== undefined && isImmutable(spec);
  declare(resource, { schema, ...(kept && { updateProblems: specChangeProblems }) });
}

function specChangeProblems(before: KubeObject, after: KubeObject): Problem[] {
  const specOf = (object: KubeObject): unknown => ('spec' in object ? object.spec : undefined);
  if (sameJson(specOf(before), specOf(after))) return [];
  return [problemAt(after, ['spec'], immutableMessage)];
}

/** An object as it is to be stored, and what is wrong with it: nothing, or it is not to be stored. */
export interface Validation<T extends KubeObject = KubeObject> {
  readonly object: T;
  readonly problems: readonly Problem[];
}

/**
 * Checks an object as an API server with the CRDs of `crds/` would: its schema, its rules, and, with
 * `before`, what a change may not do. The object that comes out has the defaults of its kind; unknown fields
 * are gone where the kind is a custom one. Kinds without a schema pass.
 */
export function validateObject<T extends KubeObject>(
  resource: Resource<T>,
  object: T,
  before?: T,
): Validation<T> {
  const kind = kinds.get(resourceId(resource)) as Kind<T> | undefined;
  if (kind === undefined) return { object, problems: [] };
  const given = withoutNulls(object) as T;
  const parsed = kind.schema.safeParse(given);
  if (!parsed.success) return { object, problems: problemsOfError(parsed.error, given) };
  const stored = kind.stored?.(parsed.data as T) ?? (parsed.data as T);
  const problems =
    before === undefined ? kind.createProblems?.(stored) : kind.updateProblems?.(before, stored);
  return { object: stored, problems: problems ?? [] };
}

/** A null means that nothing is there; API servers drop it before they look. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (inner === null ? [] : [[key, withoutNulls(inner)]])),
  );
}

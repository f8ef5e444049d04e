import { z } from 'zod';
import { objectMeta } from '../fields.ts';
import type { KubeObject } from '../meta.ts';
import { type Problem, problemAt } from '../problem.ts';
import { problemsOfError } from '../schema-problems.ts';
import type { HttpIngressPath, Ingress, IngressBackend, IngressRule, IngressSpec } from './ingress.ts';

/** The API versions of Ingress that came before `networking.k8s.io/v1`; Kubernetes 1.22 dropped them. */
export const oldIngressVersions: readonly string[] = ['networking.k8s.io/v1beta1', 'extensions/v1beta1'];

/** Whether this is an Ingress of an API version that `convertIngress` takes. */
export function isOldIngress(object: Pick<KubeObject, 'apiVersion' | 'kind'>): boolean {
  return object.kind === 'Ingress' && oldIngressVersions.includes(object.apiVersion ?? '');
}

/** An Ingress of v1, or what kept an older one from becoming it. */
export type IngressConversion =
  | { readonly ingress: Ingress; readonly problems?: undefined }
  | { readonly ingress?: undefined; readonly problems: readonly Problem[] };

const backendSchema = z.looseObject({
  serviceName: z.string().optional(),
  servicePort: z
    .union([z.int(), z.string()], { error: 'must be the number or the name of a port' })
    .optional(),
  resource: z.looseObject({ apiGroup: z.string().optional(), kind: z.string(), name: z.string() }).optional(),
});

const pathSchema = z.looseObject({
  path: z.string().optional(),
  pathType: z.enum(['Exact', 'Prefix', 'ImplementationSpecific']).optional(),
  backend: backendSchema,
  property: z.record(z.string(), z.string()).optional(),
});

const oldSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: objectMeta,
  spec: z
    .looseObject({
      backend: backendSchema.optional(),
      ingressClassName: z.string().optional(),
      rules: z
        .array(
          z.looseObject({
            host: z.string().optional(),
            http: z.looseObject({ paths: z.array(pathSchema) }).optional(),
          }),
        )
        .optional(),
      tls: z
        .array(z.looseObject({ hosts: z.array(z.string()).optional(), secretName: z.string().optional() }))
        .optional(),
    })
    .optional(),
});

type OldBackend = z.infer<typeof backendSchema>;
type OldPath = z.infer<typeof pathSchema>;
type Path = readonly (string | number)[];

/**
 * An Ingress of `networking.k8s.io/v1beta1` or `extensions/v1beta1` as one of v1, the way API servers
 * convert it: `spec.backend` becomes `spec.defaultBackend`, serviceName and servicePort become `service`, a
 * path without a pathType is ImplementationSpecific. `property` of CCE's paths stays. Values are not judged
 * here, except for what has no place in v1; v1's own schema does that.
 */
export function convertIngress(object: unknown): IngressConversion {
  const parsed = oldSchema.safeParse(object);
  if (!parsed.success) return { problems: problemsOfError(parsed.error, object) };
  const problems: Problem[] = [];
  const backendOf = (backend: OldBackend, at: Path): IngressBackend => {
    const found = backendProblem(object, backend, at);
    if (found !== undefined) problems.push(found);
    return convertedBackend(backend);
  };
  const pathOf = (path: OldPath, at: Path): HttpIngressPath => ({
    ...path,
    pathType: path.pathType ?? 'ImplementationSpecific',
    backend: backendOf(path.backend, [...at, 'backend']),
  });

  const { spec: oldSpec, ...rest } = parsed.data;
  const { backend, rules, ...specRest } = oldSpec ?? {};
  if ('defaultBackend' in specRest) {
    problems.push(problemAt(object, ['spec', 'defaultBackend'], belongsToV1('backend')));
  }
  const spec: IngressSpec = {
    ...specRest,
    ...(backend && { defaultBackend: backendOf(backend, ['spec', 'backend']) }),
    ...(rules && {
      rules: rules.map(
        ({ http, ...rule }, i): IngressRule => ({
          ...rule,
          ...(http && {
            http: {
              ...http,
              paths: http.paths.map((path, j) => pathOf(path, ['spec', 'rules', i, 'http', 'paths', j])),
            },
          }),
        }),
      ),
    }),
  };
  if (problems.length > 0) return { problems };
  return { ingress: { ...rest, apiVersion: 'networking.k8s.io/v1', spec } };
}

function belongsToV1(instead: string): string {
  return `is a field of networking.k8s.io/v1: use ${instead}, or set apiVersion to networking.k8s.io/v1`;
}

/** What keeps an old backend from having a counterpart in v1. */
function backendProblem(object: unknown, backend: OldBackend, at: Path): Problem | undefined {
  const { serviceName = '', servicePort } = backend;
  if ('service' in backend)
    return problemAt(object, [...at, 'service'], belongsToV1('serviceName and servicePort'));
  if (backend.resource !== undefined && serviceName !== '') {
    return problemAt(object, at, 'must name where requests go: set either serviceName or resource');
  }
  if (backend.resource !== undefined) return undefined;
  if (serviceName === '') {
    return problemAt(object, [...at, 'serviceName'], 'is missing: set it to the name of a Service');
  }
  if (servicePort === undefined || servicePort === '') {
    return problemAt(
      object,
      [...at, 'servicePort'],
      'is missing: set it to the number or the name of a port',
    );
  }
  if (typeof servicePort === 'string' && /^[0-9]+$/.test(servicePort)) {
    return problemAt(object, [...at, 'servicePort'], 'must be without quotes, as a number');
  }
  return undefined;
}

function convertedBackend({ serviceName, servicePort, resource }: OldBackend): IngressBackend {
  if (resource !== undefined) return { resource };
  return {
    service: {
      name: serviceName ?? '',
      port: typeof servicePort === 'number' ? { number: servicePort } : { name: servicePort },
    },
  };
}

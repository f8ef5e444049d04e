import { authServices, filterPolicies } from '../api/getambassador/auth-service.ts';
import { mappings } from '../api/getambassador/mapping.ts';
import { tlsContexts } from '../api/getambassador/tls-context.ts';
import { endpointSlices, endpointSlicesV1beta1 } from '../api/kubernetes/endpoint-slice.ts';
import { endpoints } from '../api/kubernetes/endpoints.ts';
import { ingresses } from '../api/kubernetes/ingress.ts';
import { ingressClasses } from '../api/kubernetes/ingress-class.ts';
import { type Secret, secrets } from '../api/kubernetes/secret.ts';
import { services } from '../api/kubernetes/service.ts';
import { serviceNameLabel } from '../api/labels.ts';
import type { EdgeRemark, EdgeRemarkOptions } from '../api/lint-report.ts';
import { type KubeObject, keyOf, keyText, parseKey } from '../api/meta.ts';
import type { Resource } from '../api/resource.ts';
import { compileTable } from '../edge/compile/compile.ts';
import { defaultCompileSettings } from '../edge/compile/settings.ts';
import type { Snapshot } from '../edge/compile/snapshot.ts';
import { findingReasons } from '../edge/finding.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeApi } from '../kube/port.ts';

/** References lead to references: a TLSContext's Secret is asked for when its Mapping has been read. */
const rounds = 3;

/**
 * What the edge says of the objects that are there, by the same compilation. Events tell it too, and are gone after an hour.
 * Who may not read a kind learns nothing of it.
 */
export async function edgeRemarks(api: KubeApi, options: EdgeRemarkOptions): Promise<readonly EdgeRemark[]> {
  const { namespace, standalone, nowMs } = options;
  const read = async <T extends KubeObject>(resource: Resource<T>): Promise<T[] | undefined> =>
    readable(api, resource, resource.namespaced ? namespace : undefined);
  const slices = (await api.serves(endpointSlices)) ? endpointSlices : endpointSlicesV1beta1;
  const [
    found,
    classes,
    foundServices,
    foundSlices,
    foundEndpoints,
    foundMappings,
    contexts,
    asked,
    filters,
  ] = await Promise.all([
    read(ingresses),
    read(ingressClasses),
    read(services),
    read(slices),
    standalone ? read(endpoints) : [],
    read(mappings),
    read(tlsContexts),
    read(authServices),
    read(filterPolicies),
  ]);
  const known = new Map<string, Secret | undefined>();
  const unreadable = new Set<string>();
  const byName = <T extends KubeObject>(all: readonly T[] = []): Map<string, T> =>
    new Map(all.map(one => [keyText(keyOf(one)), one]));
  const [serviceOf, endpointsOf] = [byName(foundServices), byName(foundEndpoints)];
  const snapshot: Snapshot = {
    ingresses: found ?? [],
    ingressClasses: classes ?? [],
    emissary: {
      mappings: foundMappings ?? [],
      tlsContexts: contexts ?? [],
      guards: [...(asked ?? []), ...(filters ?? [])],
    },
    service: key => serviceOf.get(keyText(key)),
    secret: key => known.get(keyText(key)),
    endpoints: key => endpointsOf.get(keyText(key)),
    endpointSlices: key =>
      (foundSlices ?? []).filter(
        ({ metadata }) =>
          metadata.namespace === key.namespace && metadata.labels?.[serviceNameLabel] === key.name,
      ),
  };
  const settings = { ...defaultCompileSettings, ingressClasses: options.ingressClasses, standalone };
  let compilation = compileTable(snapshot, settings, nowMs);
  for (let round = 0; round < rounds; round += 1) {
    const wanted = [...compilation.references.secrets].filter(key => !known.has(key) && !unreadable.has(key));
    if (wanted.length === 0) break;
    for (const key of wanted) {
      const secret = await secretAt(api, key);
      if (secret === 'unreadable') unreadable.add(key);
      else known.set(key, secret);
    }
    compilation = compileTable({ ...snapshot, ingresses: [...snapshot.ingresses] }, settings, nowMs);
  }
  return compilation.findings
    .filter(({ reason }) => reason !== findingReasons.secretNotFound || unreadable.size === 0)
    .filter(({ reason }) => reason !== findingReasons.serviceNotFound || foundServices !== undefined)
    .map(({ object, reason, message }) => ({
      kind: object.kind ?? '',
      ...keyOf(object),
      reason,
      message,
    }));
}

async function readable<T extends KubeObject>(
  api: KubeApi,
  resource: Resource<T>,
  namespace: string | undefined,
): Promise<T[] | undefined> {
  const items: T[] = [];
  let next: string | undefined;
  try {
    do {
      const page = await api.list(resource, { namespace, limit: 500, continue: next });
      items.push(...page.items);
      next = page.continue;
    } while (next !== undefined && next !== '');
    return items;
  } catch (thrown) {
    if (isKubeError(thrown, 'KUBE_FORBIDDEN', 'KUBE_NOT_FOUND')) return undefined;
    throw thrown;
  }
}

async function secretAt(api: KubeApi, text: string): Promise<Secret | undefined | 'unreadable'> {
  try {
    return await api.get(secrets, parseKey(text));
  } catch (thrown) {
    if (isKubeError(thrown, 'KUBE_NOT_FOUND')) return undefined;
    if (isKubeError(thrown, 'KUBE_FORBIDDEN')) return 'unreadable';
    throw thrown;
  }
}

import type { Ingress } from '../../api/kubernetes/ingress.ts';
import { findingReasons } from '../finding.ts';
import { type IngressSettings, quoted } from './annotations.ts';
import {
  type BackendResult,
  type BackendSpec,
  keyOfSpec,
  plainAccess,
  resolveBackend,
  type UpstreamAccess,
} from './backends.ts';
import type { Lookups } from './dependencies.ts';
import type { CompileSettings } from './settings.ts';

/** Who answers in the place of an upstream, and for which statuses. */
export interface ErrorPagesResult {
  readonly pages?: {
    readonly statuses: readonly number[];
    readonly backend: string;
    readonly spec: BackendSpec;
  };
  readonly finding?: BackendResult['finding'];
}

/**
 * The backend of an Ingress's error pages: the Service of the annotation default-backend, at its first port and by plain
 * HTTP (ingress-nginx), or else spec.defaultBackend. Undefined where nothing is asked for.
 */
export function errorPagesFor(
  ingress: Ingress,
  { defaultBackend, errorStatuses }: IngressSettings,
  access: UpstreamAccess,
  lookups: Lookups,
  settings: CompileSettings,
): ErrorPagesResult | undefined {
  if (defaultBackend === undefined && errorStatuses.length === 0) return undefined;
  const to = ingress.spec?.defaultBackend;
  if (defaultBackend === undefined && to !== undefined)
    return resultOf(resolveBackend(ingress, '', to, access, lookups, settings), errorStatuses);
  if (defaultBackend === undefined) {
    const message =
      'custom-http-errors is passed over: no backend is named that could answer in the place of the upstream; set default-backend';
    return { finding: { reason: findingReasons.annotationInvalid, message } };
  }
  const namespace = ingress.metadata.namespace ?? '';
  const service = lookups.service({ namespace, name: defaultBackend });
  const port = service?.spec?.ports?.[0];
  if (service !== undefined && port === undefined) {
    const message = `default-backend is ${quoted(defaultBackend)}, a Service without ports: give it one`;
    return { finding: { reason: findingReasons.servicePortNotFound, message } };
  }
  const backend = { service: { name: defaultBackend, port: { number: port?.port ?? 80 } } };
  return resultOf(resolveBackend(ingress, '', backend, plainAccess, lookups, settings), errorStatuses);
}

function resultOf({ spec, finding }: BackendResult, statuses: readonly number[]): ErrorPagesResult {
  const pages = { statuses, backend: keyOfSpec(spec), spec };
  return finding === undefined ? { pages } : { pages, finding };
}

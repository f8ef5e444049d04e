import type { Mapping, MappingSpec } from '../../api/getambassador/mapping.ts';
import type { TlsContext, TlsContextSpec } from '../../api/getambassador/tls-context.ts';
import type { Secret } from '../../api/kubernetes/secret.ts';
import type { Service } from '../../api/kubernetes/service.ts';
import { keyOf, keyText } from '../../api/meta.ts';
import { headerFieldsOf } from '../exchange/header-fields.ts';
import { findMapping } from '../match/find-mapping.ts';
import { parseHost } from '../match/host.ts';
import { type BackendSpec, keyOfSpec } from './backends.ts';
import { aService, testNowMs } from './builders.testing.ts';
import { compileMappings, type MappingsResult } from './compile-mappings.ts';
import { type CompileSettings, defaultCompileSettings } from './settings.ts';
import type { EmissaryObjects } from './snapshot.ts';
import type { Route } from './table.ts';

let made = 0;

/** A Mapping; where no name is given, later ones are younger. */
export function aMapping(
  spec: Partial<MappingSpec>,
  name = `mapping-${(made += 1)}`,
  namespace = 'default',
): Mapping {
  return {
    apiVersion: 'getambassador.io/v3alpha1',
    kind: 'Mapping',
    metadata: { name, namespace, creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { hostname: '*', prefix: '/', service: 'web', ...spec },
  };
}

export function aTlsContext(spec: TlsContextSpec, name = 'context', namespace = 'default'): TlsContext {
  return {
    apiVersion: 'getambassador.io/v3alpha1',
    kind: 'TLSContext',
    metadata: { name, namespace, creationTimestamp: '2026-01-01T00:00:00Z' },
    spec,
  };
}

export interface EmissaryWorld extends Partial<EmissaryObjects> {
  readonly services?: readonly Service[];
  readonly secrets?: readonly Secret[];
}

/** Ports 80 and 443, whatever the name. */
export function webService(name = 'web', namespace = 'default'): Service {
  const ports = [
    { name: 'http', port: 80, targetPort: 8080 },
    { name: 'https', port: 443, targetPort: 8443 },
  ];
  return aService(name, { ports }, namespace);
}

export function compileEmissary(
  world: EmissaryWorld,
  settings: Partial<CompileSettings> = {},
): MappingsResult {
  const { mappings = [], tlsContexts = [], guards = [] } = world;
  const services = new Map((world.services ?? [webService()]).map(one => [keyText(keyOf(one)), one]));
  const secrets = new Map((world.secrets ?? []).map(one => [keyText(keyOf(one)), one]));
  return compileMappings(
    { mappings, tlsContexts, guards },
    { service: key => services.get(keyText(key)), secret: key => secrets.get(keyText(key)) },
    { ...defaultCompileSettings, ...settings },
    testNowMs,
  );
}

/** The route of `GET http://host/path?query` with some fields, or undefined. */
export function mappedRoute(
  result: MappingsResult,
  url: string,
  fields: readonly string[] = [],
  method = 'GET',
): Route | undefined {
  const [, authority = '', path = '', query = ''] = /^([^/]*)(\/[^?]*)(\?.*)?$/.exec(url) ?? [];
  const host = parseHost(authority);
  if (host === undefined) return undefined;
  const request = { method, query, fields: headerFieldsOf(fields) };
  return findMapping(result.mappings, host, path, request)?.found.route;
}

/** `namespace/name` of the Mapping that a request comes to. */
export function mappedTo(...args: Parameters<typeof mappedRoute>): string | undefined {
  return mappedRoute(...args)?.source.name;
}

/** What a route's backend is, or why it is none. */
export function backendOf(result: MappingsResult, route: Route | undefined): BackendSpec | undefined {
  const found = route && result.backends.get(route.backend);
  if (found !== undefined && keyOfSpec(found) !== route?.backend)
    throw new Error('a backend under another key');
  return found;
}

export function messagesOf({ findings }: MappingsResult): string[] {
  return findings.map(({ object, reason, message }) => `${object.metadata.name} ${reason}: ${message}`);
}

import { isIP } from 'node:net';
import { isDnsLabel, isPortNumber } from '../../api/syntax.ts';
import { parseRuleHost } from '../match/host.ts';
import { quoted } from './quoted.ts';

/** Where a Mapping's `service` leads. */
export interface MappingService {
  readonly scheme: 'http' | 'https' | undefined;
  readonly to:
    | { readonly kind: 'service'; readonly namespace: string; readonly name: string }
    /** A host that is no Service: a name that ends with a dot or has three labels or more, or an address. */
    | { readonly kind: 'host'; readonly host: string };
  /** Without the port, as it was written. */
  readonly host: string;
  /** Undefined where none is written. */
  readonly port: number | undefined;
}

const form = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?(\[[0-9a-fA-F:.]+\]|[^/:@?#\s[\]]+)(?::(\d{1,5}))?\/?$/;

/**
 * Reads `[scheme://]name[.namespace][:port]`. A name without a namespace is of the Mapping's own; `name.namespace.svc` and
 * `name.namespace.svc.cluster.local` are Services too.
 */
export function readMappingService(service: string, namespace: string): MappingService | { error: string } {
  const [, scheme, rawHost = '', rawPort] = form.exec(service.trim()) ?? [];
  const wanted = 'write it as "[scheme://]name[.namespace][:port]"';
  if (rawHost === '') return { error: `spec.service is ${quoted(service)}: ${wanted}` };
  const lowerScheme = scheme?.toLowerCase();
  if (lowerScheme !== undefined && lowerScheme !== 'http' && lowerScheme !== 'https')
    return { error: `spec.service is ${quoted(service)}: its scheme must be http or https` };
  const port = rawPort === undefined ? undefined : Number(rawPort);
  if (port !== undefined && !isPortNumber(port))
    return { error: `spec.service is ${quoted(service)}: its port must be from 1 to 65535` };
  const host = rawHost.toLowerCase();
  const to = targetOf(host, namespace);
  if (to === undefined) return { error: `spec.service is ${quoted(service)}: ${wanted}` };
  return { scheme: lowerScheme, to, host: host.replace(/\.$/, ''), port };
}

function targetOf(host: string, namespace: string): MappingService['to'] | undefined {
  const address = host.startsWith('[') ? host.slice(1, -1) : host;
  if (isIP(address) !== 0) return { kind: 'host', host: address };
  const absolute = host.endsWith('.');
  const labels = (absolute ? host.slice(0, -1) : host).split('.');
  const [name = '', second = namespace, ...rest] = labels;
  const suffix = rest.join('.');
  const inCluster = suffix === 'svc' || suffix === 'svc.cluster.local' || (suffix === '' && !absolute);
  if (inCluster && isDnsLabel(name) && isDnsLabel(second))
    return { kind: 'service', namespace: second, name };
  const bare = labels.join('.');
  return labels.length > 1 && parseRuleHost(bare) === bare ? { kind: 'host', host: bare } : undefined;
}

import type { Ingress } from '../../api/kubernetes/ingress.ts';
import { type Finding, findingReasons } from '../finding.ts';

const prefix = 'nginx.ingress.kubernetes.io/';

/** How the upstreams of an Ingress are spoken to, as its annotations say. Nothing is checked against other objects. */
export interface UpstreamTlsAnnotations {
  readonly verify: boolean;
  /** `namespace/name` or `name`. */
  readonly secret: string | undefined;
  readonly name: string | undefined;
  readonly sendServerName: boolean;
}

/** An Ingress's annotations, read. `refusal` says why nothing of it is forwarded: its paths answer 503. */
export interface IngressSettings {
  readonly sslRedirect: boolean;
  readonly forceSslRedirect: boolean;
  readonly upstreamTls: UpstreamTlsAnnotations | undefined;
  readonly refusal: string | undefined;
  /** The Ingress adds to another one (canary) and has no routes of its own. */
  readonly routeless: boolean;
}

/**
 * Annotations that guard access, or say how an upstream is verified, and that this version does not implement:
 * serving the Ingress without them would open what its owner closed.
 */
const guards = [
  'auth-tls-secret',
  'auth-type',
  'auth-url',
  'allowlist-source-range',
  'denylist-source-range',
  'whitelist-source-range',
  'proxy-ssl-ciphers',
  'proxy-ssl-protocols',
];

/** Annotations that change what is served, and that this version does not implement: they are passed over, visibly. */
const unsupported = [
  'affinity',
  'app-root',
  'auth-tls-verify-client',
  'configuration-snippet',
  'custom-http-errors',
  'enable-cors',
  'from-to-www-redirect',
  'limit-connections',
  'limit-rps',
  'permanent-redirect',
  'proxy-body-size',
  'proxy-connect-timeout',
  'proxy-read-timeout',
  'proxy-send-timeout',
  'proxy-ssl-verify-depth',
  'rewrite-target',
  'server-alias',
  'server-snippet',
  'ssl-passthrough',
  'temporal-redirect',
  'upstream-vhost',
  'use-regex',
];

/** Reads the annotations of an Ingress. What is wrong becomes a finding; what would weaken it, a refusal too. */
export function readAnnotations(ingress: Ingress): { settings: IngressSettings; findings: Finding[] } {
  const annotations = ingress.metadata.annotations ?? {};
  const findings: Finding[] = [];
  const refusals: string[] = [];
  const note = (reason: Finding['reason'], message: string): void => {
    findings.push({ object: ingress, reason, message });
  };
  const refuse = (reason: Finding['reason'], message: string): void => {
    note(reason, `${message}. Until then its paths answer 503`);
    refusals.push(message);
  };
  const read = (name: string): string | undefined => annotations[prefix + name]?.trim();
  const flag = (name: string): boolean | undefined => {
    const value = read(name);
    if (value === undefined || value === 'true' || value === 'false')
      return value === undefined ? undefined : value === 'true';
    note(
      findingReasons.annotationInvalid,
      `${prefix}${name} is ${quoted(value)} and is passed over: use "true" or "false"`,
    );
    return undefined;
  };
  const onOff = (name: string): boolean => {
    const value = read(name);
    if (value === undefined || value === 'on' || value === 'off') return value !== 'off';
    refuse(findingReasons.annotationInvalid, `${prefix}${name} is ${quoted(value)}: use "on" or "off"`);
    return true;
  };

  for (const name of guards.filter(name => read(name) !== undefined && !isOpenRange(name, read(name)))) {
    refuse(
      findingReasons.annotationUnsupported,
      `${prefix}${name} is not supported yet: remove it to serve this Ingress without it`,
    );
  }
  for (const name of unsupported.filter(name => read(name) !== undefined)) {
    note(findingReasons.annotationUnsupported, `${prefix}${name} is not supported and is passed over`);
  }
  const routeless = read('canary') === 'true';
  if (routeless)
    note(
      findingReasons.annotationUnsupported,
      `${prefix}canary is not supported: this Ingress is not served`,
    );

  const protocol = read('backend-protocol')?.toUpperCase() ?? 'HTTP';
  if (protocol !== 'HTTP' && protocol !== 'HTTPS') {
    const message = `${prefix}backend-protocol is ${quoted(read('backend-protocol') ?? '')}: use "HTTP" or "HTTPS"`;
    refuse(findingReasons.annotationInvalid, message);
  }
  const https = protocol === 'HTTPS';
  const settings: IngressSettings = {
    sslRedirect: flag('ssl-redirect') ?? true,
    forceSslRedirect: flag('force-ssl-redirect') ?? false,
    upstreamTls: https
      ? {
          verify: onOff('proxy-ssl-verify'),
          secret: read('proxy-ssl-secret') || undefined,
          name: read('proxy-ssl-name') || undefined,
          sendServerName: onOff('proxy-ssl-server-name'),
        }
      : undefined,
    refusal: refusals[0],
    routeless,
  };
  return { settings, findings };
}

/** cert-manager writes this on its solvers' Ingresses, so that no range set elsewhere shuts the authority out. */
function isOpenRange(name: string, value: string | undefined): boolean {
  if (name !== 'whitelist-source-range' && name !== 'allowlist-source-range') return false;
  const ranges = value?.split(',').map(range => range.trim()) ?? [];
  return ranges.includes('0.0.0.0/0') && ranges.includes('::/0');
}

/** A value as a message shows it: short, and on one line. */
export function quoted(value: string): string {
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
}

import type { Ingress } from '../../api/kubernetes/ingress.ts';
import type { Secret } from '../../api/kubernetes/secret.ts';
import type { ObjectKey } from '../../api/meta.ts';
import { type Finding, type FindingReason, findingReasons } from '../finding.ts';
import { plainPolicy, type RoutePolicy } from '../policy/route-policy.ts';
import type { AlternativeCondition, UpstreamProtocol } from './table.ts';
import { unsupportedGuards, unsupportedSettings } from './unsupported-annotations.ts';

const prefix = 'nginx.ingress.kubernetes.io/';

/** How the upstreams of an Ingress are spoken to, as its annotations say. Nothing is checked against other objects. */
export interface UpstreamTlsAnnotations {
  readonly verify: boolean;
  /** `namespace/name` or `name`. */
  readonly secret: string | undefined;
  readonly name: string | undefined;
  readonly sendServerName: boolean;
}

/** An Ingress's annotations, read. */
export interface IngressSettings {
  /**
   * What holds for all routes of the Ingress. The compilation sets `redirect.tlsForEveryHost`, `errorPages` and, from the
   * host, `clientCertificate`. With a `refusal` nothing of the Ingress is forwarded.
   */
  readonly policy: RoutePolicy;
  readonly upstream: {
    readonly protocol: UpstreamProtocol;
    /** Undefined: without TLS. */
    readonly tls: UpstreamTlsAnnotations | undefined;
  };
  /** The Service's own address stands for its endpoints. */
  readonly serviceUpstream: boolean;
  /** All paths of the Ingress's hosts are regular expressions, those of other Ingresses too. */
  readonly useRegex: boolean;
  /** Further names of the Ingress's hosts, in lower case. */
  readonly serverAliases: readonly string[];
  /** `www.foo.com` is sent to `foo.com`, or the other way round. */
  readonly fromToWww: boolean;
  /** A Service of the same namespace that answers where no endpoint is there, and for `errorStatuses`. */
  readonly defaultBackend: string | undefined;
  readonly errorStatuses: readonly number[];
  /** The Ingress takes some requests of another one, and has no routes of its own. */
  readonly canary: AlternativeCondition | undefined;
}

const defaults: IngressSettings = Object.freeze({
  policy: plainPolicy,
  upstream: Object.freeze({ protocol: 'http1', tls: undefined }),
  serviceUpstream: false,
  useRegex: false,
  serverAliases: [],
  fromToWww: false,
  defaultBackend: undefined,
  errorStatuses: [],
  canary: undefined,
});

/** Looks up a Secret that an annotation names. What is asked for is noted: the Ingress is read again when it changes. */
export type SecretLookup = (key: ObjectKey) => Secret | undefined;

/** Reads the annotations of an Ingress. What is wrong becomes a finding; what would weaken it, a refusal too. */
export function readAnnotations(
  ingress: Ingress,
  _secretOf: SecretLookup,
): { settings: IngressSettings; findings: Finding[] } {
  const values = new Map<string, string>();
  for (const [key, value] of Object.entries(ingress.metadata.annotations ?? {})) {
    if (key.startsWith(prefix)) values.set(key.slice(prefix.length), String(value).trim());
  }
  if (values.size === 0) return { settings: defaults, findings: [] };
  const reader = new AnnotationReader(ingress, values);
  return { settings: reader.settings(), findings: reader.findings };
}

class AnnotationReader {
  readonly findings: Finding[] = [];
  readonly #ingress: Ingress;
  readonly #values: ReadonlyMap<string, string>;
  #refusal: string | undefined;

  constructor(ingress: Ingress, values: ReadonlyMap<string, string>) {
    this.#ingress = ingress;
    this.#values = values;
  }

  settings(): IngressSettings {
    this.#noteUnsupported();
    const ssl = this.#flag('ssl-redirect', true);
    const forceSsl = this.#flag('force-ssl-redirect', false);
    const tls = this.#upstreamTls();
    const plain = ssl && !forceSsl && this.#refusal === undefined;
    const redirect = { ...plainPolicy.redirect, ssl, forceSsl };
    const policy = plain ? plainPolicy : { ...plainPolicy, redirect, refusal: this.#refusal };
    const weight = Number(this.#values.get('canary-weight') ?? 0);
    const canary =
      this.#values.get('canary') === 'true'
        ? { header: undefined, cookie: undefined, weight, total: 100 }
        : undefined;
    return { ...defaults, policy, upstream: { protocol: 'http1', tls }, canary };
  }

  #upstreamTls(): UpstreamTlsAnnotations | undefined {
    const written = this.#values.get('backend-protocol') ?? 'HTTP';
    const protocol = written.toUpperCase();
    if (protocol !== 'HTTP' && protocol !== 'HTTPS') {
      this.#refuse(
        findingReasons.annotationInvalid,
        `${prefix}backend-protocol is ${quoted(written)}: use "HTTP" or "HTTPS"`,
      );
    }
    if (protocol !== 'HTTPS') return undefined;
    return {
      verify: this.#onOff('proxy-ssl-verify'),
      secret: this.#values.get('proxy-ssl-secret') || undefined,
      name: this.#values.get('proxy-ssl-name') || undefined,
      sendServerName: this.#onOff('proxy-ssl-server-name'),
    };
  }

  #noteUnsupported(): void {
    for (const [name, value] of this.#values) {
      if (unsupportedSettings.has(name))
        this.#unsupported(`${prefix}${name} is not supported and is passed over`);
      if (!unsupportedGuards.has(name) || isOpenRange(name, value)) continue;
      const message = `${prefix}${name} is not supported yet: remove it to serve this Ingress without it`;
      this.#refuse(findingReasons.annotationUnsupported, message);
    }
  }

  #flag(name: string, byDefault: boolean): boolean {
    const value = this.#values.get(name);
    if (value === undefined || value === 'true' || value === 'false')
      return value === undefined ? byDefault : value === 'true';
    const message = `${prefix}${name} is ${quoted(value)} and is passed over: use "true" or "false"`;
    this.#note(findingReasons.annotationInvalid, message);
    return byDefault;
  }

  /** On by default, and where it is neither on nor off: refused. */
  #onOff(name: string): boolean {
    const value = this.#values.get(name) ?? 'on';
    if (value !== 'on' && value !== 'off') {
      this.#refuse(
        findingReasons.annotationInvalid,
        `${prefix}${name} is ${quoted(value)}: use "on" or "off"`,
      );
    }
    return value !== 'off';
  }

  #unsupported(message: string): void {
    this.#note(findingReasons.annotationUnsupported, message);
  }

  #refuse(reason: FindingReason, message: string): void {
    this.#note(reason, `${message}. Until then its paths answer 503`);
    this.#refusal ??= message;
  }

  #note(reason: FindingReason, message: string): void {
    this.findings.push({ object: this.#ingress, reason, message });
  }
}

/** cert-manager writes this on its solvers' Ingresses, so that no range set elsewhere shuts the authority out. */
function isOpenRange(name: string, value: string): boolean {
  if (name !== 'whitelist-source-range' && name !== 'allowlist-source-range') return false;
  const ranges = value.split(',').map(range => range.trim());
  return ranges.includes('0.0.0.0/0') && ranges.includes('::/0');
}

/** A value as a message shows it: short, and on one line. */
export function quoted(value: string): string {
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
}

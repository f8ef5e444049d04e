import type { Ingress } from '../../api/kubernetes/ingress.ts';
import { type Finding, type FindingReason, findingReasons } from '../finding.ts';
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
  readonly sslRedirect: boolean;
  readonly forceSslRedirect: boolean;
  /** Undefined: plain HTTP. */
  readonly upstreamTls: UpstreamTlsAnnotations | undefined;
  /** Why nothing of the Ingress is forwarded: its paths answer 503. */
  readonly refusal: string | undefined;
  /** The Ingress adds to another one (canary) and has no routes of its own. */
  readonly routeless: boolean;
}

const defaults: IngressSettings = Object.freeze({
  sslRedirect: true,
  forceSslRedirect: false,
  upstreamTls: undefined,
  refusal: undefined,
  routeless: false,
});

/** Reads the annotations of an Ingress. What is wrong becomes a finding; what would weaken it, a refusal too. */
export function readAnnotations(ingress: Ingress): { settings: IngressSettings; findings: Finding[] } {
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
    const routeless = this.#values.get('canary') === 'true';
    if (routeless) this.#unsupported(`${prefix}canary is not supported: this Ingress is not served`);
    const sslRedirect = this.#flag('ssl-redirect', true);
    const forceSslRedirect = this.#flag('force-ssl-redirect', false);
    const upstreamTls = this.#upstreamTls();
    return { sslRedirect, forceSslRedirect, upstreamTls, refusal: this.#refusal, routeless };
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

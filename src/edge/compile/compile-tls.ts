import type { Ingress, IngressTls } from '../../api/kubernetes/ingress.ts';
import { type Finding, type FindingReason, findingReasons } from '../finding.ts';
import { parseRuleHost, wildcardFor } from '../match/host.ts';
import { quoted } from './annotations.ts';
import { type ServerCertificateResult, serverCertificateOf } from './server-certificate.ts';
import type { Snapshot } from './snapshot.ts';
import type { SniEntry } from './table.ts';

/** The part of a table that is about TLS. */
export interface TlsResult {
  readonly sni: ReadonlyMap<string, SniEntry>;
  readonly tlsHosts: ReadonlySet<string>;
  readonly findings: readonly Finding[];
  /** When the next certificate in use expires, in milliseconds since the epoch. */
  readonly nextExpiryMs: number | undefined;
}

/**
 * Gathers which name is served with which certificate, Ingresses oldest first (edge.md, statements 6 and 16). The oldest
 * that names a Secret for a host decides, and where that Secret cannot be used, the default certificate is served: never
 * that of another Ingress. Entries without hosts come last and serve the names of their certificates that nobody claimed.
 */
export class TlsCompiler {
  readonly #snapshot: Snapshot;
  readonly #nowMs: number;
  readonly #findings: Finding[] = [];
  readonly #tlsHosts = new Set<string>();
  readonly #sni = new Map<string, SniEntry>();
  readonly #owners = new Map<string, { ingress: Ingress; secret: string }>();
  readonly #bySans: ServerCertificateResult[] = [];
  #nextExpiryMs: number | undefined;

  constructor(snapshot: Snapshot, nowMs: number) {
    this.#snapshot = snapshot;
    this.#nowMs = nowMs;
  }

  build(): TlsResult {
    for (const result of this.#bySans) addBySans(result, this.#sni);
    const result = { sni: this.#sni, tlsHosts: this.#tlsHosts, findings: this.#findings };
    return { ...result, nextExpiryMs: this.#nextExpiryMs };
  }

  add(ingress: Ingress): void {
    const note: Note = (reason, message) => this.#findings.push({ object: ingress, reason, message });
    for (const entry of ingress.spec?.tls ?? []) {
      const hosts = hostsOf(entry, note);
      for (const host of hosts.length > 0 ? hosts : ruleHosts(ingress)) this.#tlsHosts.add(host);
      if (entry.secretName) this.#addSecret(ingress, entry.secretName, hosts, note);
    }
  }

  #addSecret(ingress: Ingress, secretName: string, hosts: readonly string[], note: Note): void {
    const secret = `${ingress.metadata.namespace ?? ''}/${secretName}`;
    const named = `Secret ${quoted(secret)}`;
    const result = secretOf(ingress, secretName, this.#snapshot, note);
    if ('certificate' in result) {
      this.#noteExpiry(result.certificate.notAfterMs, named, note);
      if (hosts.length === 0) this.#bySans.push(result);
    }
    const misfits: string[] = [];
    for (const host of hosts) {
      const owner = this.#owners.get(host);
      if (owner !== undefined) {
        if (owner.secret !== secret) note(findingReasons.tlsConflict, conflictMessage(host, named, owner));
        continue;
      }
      this.#owners.set(host, { ingress, secret });
      const entry = sniEntry(result, host);
      this.#sni.set(host, entry);
      if (entry.kind === 'default' && 'certificate' in result) misfits.push(host);
    }
    if (misfits.length > 0 && 'certificate' in result) {
      note(findingReasons.certificateMismatch, misfitMessage(named, misfits, result.names));
    }
  }

  #noteExpiry(notAfterMs: number, named: string, note: Note): void {
    if (notAfterMs > this.#nowMs) {
      this.#nextExpiryMs = Math.min(this.#nextExpiryMs ?? notAfterMs, notAfterMs);
      return;
    }
    const at = new Date(notAfterMs).toISOString();
    note(findingReasons.certificateExpired, `the certificate in ${named} expired at ${at}: renew it`);
  }
}

type Note = (reason: FindingReason, message: string) => void;

function hostsOf(entry: IngressTls, note: Note): string[] {
  return (entry.hosts ?? []).flatMap(host => {
    const parsed = parseRuleHost(host);
    if (parsed === undefined && host !== '') {
      note(
        findingReasons.hostInvalid,
        `spec.tls has the host ${quoted(host)}, which is passed over: use a name, or "*." and a name`,
      );
    }
    return parsed ?? [];
  });
}

function ruleHosts(ingress: Ingress): string[] {
  return (ingress.spec?.rules ?? []).flatMap(rule => (rule.host ? (parseRuleHost(rule.host) ?? []) : []));
}

function secretOf(ingress: Ingress, name: string, snapshot: Snapshot, note: Note): ServerCertificateResult {
  const namespace = ingress.metadata.namespace ?? '';
  const named = `Secret ${quoted(`${namespace}/${name}`)} of spec.tls`;
  const secret = snapshot.secret({ namespace, name });
  if (secret === undefined) {
    note(
      findingReasons.secretNotFound,
      `${named} does not exist: its hosts are served with the default certificate`,
    );
    return { error: 'the Secret does not exist' };
  }
  const result = serverCertificateOf(secret);
  if ('error' in result) {
    note(
      findingReasons.secretInvalid,
      `${named} cannot be used: ${result.error}; its hosts are served with the default certificate`,
    );
  }
  return result;
}

function sniEntry(result: ServerCertificateResult, host: string): SniEntry {
  if ('error' in result) return { kind: 'default', reason: result.error };
  const { certificate, names } = result;
  return names.has(host) || names.has(wildcardFor(host) ?? host)
    ? { kind: 'certificate', certificate }
    : { kind: 'default', reason: 'the certificate is for other names' };
}

function addBySans(result: ServerCertificateResult, sni: Map<string, SniEntry>): void {
  if ('error' in result) return;
  for (const name of result.names) {
    const host = parseRuleHost(name);
    if (host !== undefined && !sni.has(host))
      sni.set(host, { kind: 'certificate', certificate: result.certificate });
  }
}

function conflictMessage(host: string, named: string, owner: { ingress: Ingress; secret: string }): string {
  const { namespace = '', name = '' } = owner.ingress.metadata;
  return `${named} is not used for ${quoted(host)}: the older Ingress "${namespace}/${name}" names Secret "${owner.secret}" for it`;
}

function misfitMessage(named: string, hosts: readonly string[], names: ReadonlySet<string>): string {
  const shown = [...names].slice(0, 5).join(', ');
  const has = names.size === 0 ? 'no names' : shown + (names.size > 5 ? ', ...' : '');
  return `the certificate in ${named} is for ${has}, not for ${hosts.slice(0, 5).join(', ')}: the default certificate is served there`;
}

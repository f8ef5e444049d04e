import type { Ingress, IngressTls as TlsEntry } from '../../api/kubernetes/ingress.ts';
import { type Finding, type FindingReason, findingReasons } from '../finding.ts';
import { parseRuleHost, wildcardFor } from '../match/host.ts';
import { quoted } from './annotations.ts';
import type { Lookups } from './dependencies.ts';
import { exactList } from './exact-list.ts';
import { type ServerCertificateResult, serverCertificateOf } from './server-certificate.ts';
import type { ServerCertificate, SniEntry } from './table.ts';

/**
 * What names the host: the TLS entry; a rule or an alias, where the entry does not and its certificate is for it; or the
 * certificate alone, where the Ingress takes every host that nobody names. The first go before the others.
 */
export type ClaimedBy = 'entry' | 'rule' | 'certificate';

/** A name that an Ingress wants served with a certificate. */
export interface TlsClaim {
  readonly ingress: Ingress;
  readonly host: string;
  /** `namespace/name` of the Secret. */
  readonly secret: string;
  readonly entry: SniEntry;
  readonly by: ClaimedBy;
}

/** The hosts of a TLS entry that its certificate is not for. */
export interface Misfit {
  readonly secret: string;
  readonly names: readonly string[];
  readonly claims: readonly TlsClaim[];
}

/** What an Ingress wants served over TLS, read by itself: not yet held against other Ingresses. */
export interface IngressTls {
  /** Names and one-label wildcards that it has TLS for, with or without a certificate of its own. */
  readonly hosts: readonly string[];
  readonly claims: readonly TlsClaim[];
  /** The certificates that it names and that can be served. */
  readonly certificates: readonly ServerCertificate[];
  readonly misfits: readonly Misfit[];
  readonly findings: readonly Finding[];
}

/** Nothing over TLS. */
export const noTls: IngressTls = Object.freeze({
  hosts: [],
  claims: [],
  certificates: [],
  misfits: [],
  findings: [],
});

/**
 * Reads the TLS section of an Ingress (edge.md, statements 15 and 16). `hosts` are those of its rules, `''` for one without
 * a host; `aliases` are further names of them: where a certificate is for one of them too, it is served there. A TLS entry
 * without hosts is for those of the Ingress's own rules alone, as in ingress-nginx: what a certificate is made out to gives
 * nobody the hosts of others.
 */
export function readIngressTls(
  ingress: Ingress,
  lookups: Pick<Lookups, 'secret'>,
  { hosts: ruleHosts, aliases }: { readonly hosts: readonly string[]; readonly aliases: readonly string[] },
): IngressTls {
  const entries = ingress.spec?.tls ?? [];
  if (entries.length === 0) return noTls;
  const findings: Finding[] = [];
  const note: Note = (reason, message) => findings.push({ object: ingress, reason, message });
  const tlsHosts = new Set<string>();
  const claims: TlsClaim[] = [];
  const certificates: ServerCertificate[] = [];
  const misfits: Misfit[] = [];
  const ruled = ruleHosts.filter(host => host !== '');
  const takesEveryHost = ingress.spec?.defaultBackend !== undefined || ruleHosts.includes('');
  const ofRules: HostlessEntry[] = [];
  for (const entry of entries) {
    const hosts = hostsOf(entry, note);
    for (const host of hosts.length > 0 ? hosts : ruled) tlsHosts.add(host);
    if (!entry.secretName) continue;
    const secret = `${ingress.metadata.namespace ?? ''}/${entry.secretName}`;
    const result = secretOf(ingress, entry.secretName, lookups, note);
    const claim = (host: string, by: ClaimedBy): TlsClaim => ({
      ingress,
      host,
      secret,
      entry: sniEntry(result, host, by),
      by,
    });
    const named = hosts.map(host => claim(host, 'entry'));
    claims.push(...named);
    if ('error' in result) continue;
    certificates.push(result.certificate);
    const further = (hosts.length > 0 ? aliases : [...ruled, ...aliases]).flatMap(name =>
      covers(result.names, name) ? claim(name, 'rule') : [],
    );
    const spare = hosts.length === 0 && takesEveryHost ? result.names : [];
    const open = spare.flatMap(name => {
      const host = parseRuleHost(name);
      return host === undefined || further.some(one => one.host === host) ? [] : claim(host, 'certificate');
    });
    claims.push(...further, ...open);
    if (hosts.length === 0)
      ofRules.push({ secret, names: result.names, used: further.length + open.length > 0 });
    const misfitting = named.filter(one => one.entry.kind === 'default');
    if (misfitting.length > 0) misfits.push({ secret, names: result.names, claims: misfitting });
  }
  noteUnserved(ofRules, ruled, claims, note);
  return {
    hosts: [...tlsHosts],
    claims: exactList(claims),
    certificates: exactList(certificates),
    misfits: exactList(misfits),
    findings: exactList(findings),
  };
}

/** A TLS entry without hosts whose certificate can be served. */
interface HostlessEntry extends Pick<Misfit, 'secret' | 'names'> {
  readonly used: boolean;
}

/** What TLS entries without hosts leave out: hosts of the rules, or else the whole entry. */
function noteUnserved(
  entries: readonly HostlessEntry[],
  ruled: readonly string[],
  claims: readonly TlsClaim[],
  note: Note,
): void {
  if (entries.length === 0) return;
  const claimed = new Set(claims.map(({ host }) => host));
  const without = ruled.filter(host => !claimed.has(host));
  if (without.length > 0) {
    const message = `spec.tls has no certificate for ${without.slice(0, 5).join(', ')}: the default certificate is served there`;
    note(findingReasons.certificateMismatch, message);
    return;
  }
  for (const { secret, names, used } of entries) {
    if (used) continue;
    const message = `spec.tls has Secret ${quoted(secret)} without hosts, and the certificate is for ${shownNames(names)}, none of them a host of the rules: it is not served`;
    note(findingReasons.certificateMismatch, message);
  }
}

/** The first names of a certificate. */
export function shownNames(names: readonly string[]): string {
  if (names.length === 0) return 'no names';
  return names.slice(0, 5).join(', ') + (names.length > 5 ? ', ...' : '');
}

type Note = (reason: FindingReason, message: string) => void;

function hostsOf(entry: TlsEntry, note: Note): string[] {
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

function secretOf(
  ingress: Ingress,
  name: string,
  lookups: Pick<Lookups, 'secret'>,
  note: Note,
): ServerCertificateResult {
  const namespace = ingress.metadata.namespace ?? '';
  const named = `Secret ${quoted(`${namespace}/${name}`)} of spec.tls`;
  const secret = lookups.secret({ namespace, name });
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

/** Names of one certificate share their entry. */
const entries = new WeakMap<ServerCertificate, SniEntry>();
const spareEntries = new WeakMap<ServerCertificate, SniEntry>();

function sniEntry(result: ServerCertificateResult, host: string, by: ClaimedBy): SniEntry {
  if ('error' in result) return { kind: 'default', reason: result.error };
  const { certificate, names } = result;
  if (!covers(names, host)) return { kind: 'default', reason: 'the certificate is for other names' };
  const spare = by === 'certificate';
  const made = spare ? spareEntries : entries;
  const known = made.get(certificate);
  if (known !== undefined) return known;
  const entry: SniEntry = Object.freeze({
    kind: 'certificate',
    certificate,
    ...(spare ? { spare } : {}),
  });
  made.set(certificate, entry);
  return entry;
}

/** Whether a certificate for these names is one for the host: by its name, or by a wildcard for its first label. */
function covers(names: readonly string[], host: string): boolean {
  return names.includes(host) || names.includes(wildcardFor(host) ?? host);
}

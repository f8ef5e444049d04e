import { type TlsContext, tlsContextSpecSchema } from '../../api/getambassador/tls-context.ts';
import { keyOf, keyText } from '../../api/meta.ts';
import { problemsText } from '../../api/problem.ts';
import { problemsOfError } from '../../api/schema-problems.ts';
import { type Finding, findingReasons } from '../finding.ts';
import { parseRuleHost, wildcardFor } from '../match/host.ts';
import { quoted } from './quoted.ts';
import type { Snapshot } from './snapshot.ts';
import type { HostTlsSettings, SniEntry } from './table.ts';
import { type ContextSettings, type ReadContext, readTlsContext, type Termination } from './tls-context.ts';
import type { UpstreamTlsPolicy } from './upstream-tls.ts';

/** How the clients of a host are asked for certificates: by a policy, or not at all, because it cannot be had. */
export type HostGuard = NonNullable<Termination['clients']>;

/** What TLSContexts come to. */
export interface ContextsResult {
  /** For upstreams, by `namespace/name`. */
  readonly origination: ReadonlyMap<string, ReadContext['origination']>;
  /** `''` is the default certificate. */
  readonly sni: ReadonlyMap<string, SniEntry>;
  /** Hosts of which plain HTTP is redirected; `*` for all. */
  readonly redirected: ReadonlySet<string>;
  /** Hosts whose clients must show certificates; `*` for all. */
  readonly guards: ReadonlyMap<string, HostGuard>;
  /** The TLSContext of each name in `sni`. */
  readonly owners: ReadonlyMap<string, TlsContext>;
  readonly findings: readonly Finding[];
  readonly nextExpiryMs: number | undefined;
}

/** Reads the TLSContexts, oldest first: where two have the same host, the first one counts. */
export function compileContexts(
  contexts: readonly TlsContext[],
  snapshot: Pick<Snapshot, 'secret'>,
  settings: ContextSettings,
): ContextsResult {
  const origination = new Map<string, ReadContext['origination']>();
  const sni = new Map<string, SniEntry>();
  const redirected = new Set<string>();
  const guards = new Map<string, HostGuard>();
  const owners = new Map<string, TlsContext>();
  const findings: Finding[] = [];
  let nextExpiryMs: number | undefined;
  for (const context of contexts) {
    const key = keyText(keyOf(context));
    const parsed = tlsContextSpecSchema.safeParse(context.spec);
    if (!parsed.success) {
      const error = problemsText(problemsOfError(parsed.error, context.spec, ['spec']));
      origination.set(key, { error });
      findings.push({
        object: context,
        reason: findingReasons.tlsContextInvalid,
        message: `${error}. Until then what uses this TLSContext answers 503`,
      });
      // It may ask the clients of these for certificates.
      for (const host of hostsWritten(context.spec)) {
        const name = host === '*' ? '' : host;
        if (owners.has(name)) continue;
        owners.set(name, context);
        sni.set(name, { kind: 'default', reason: error });
        guards.set(host, { error });
      }
      continue;
    }
    const read = readTlsContext({ ...context, spec: parsed.data }, snapshot, settings);
    const expiry = read.notAfterMs;
    if (expiry !== undefined && expiry > settings.nowMs)
      nextExpiryMs = Math.min(nextExpiryMs ?? expiry, expiry);
    origination.set(key, read.origination);
    findings.push(...findingsOf(context, read));
    const { termination } = read;
    if (termination === undefined) continue;
    for (const host of termination.hosts) {
      const name = host === '*' ? '' : host;
      const owner = owners.get(name);
      if (owner !== undefined) {
        const message = `spec.hosts has ${quoted(host)}, which the older TLSContext ${quoted(keyText(keyOf(owner)))} has: it is passed over here`;
        findings.push({ object: context, reason: findingReasons.tlsConflict, message });
        continue;
      }
      owners.set(name, context);
      sni.set(name, sniEntryOf(termination, host, context, findings));
      if (termination.redirectCleartext) redirected.add(host);
      if (termination.clients !== undefined) guards.set(host, termination.clients);
    }
    const served = 'error' in termination.certificate ? undefined : termination.certificate.certificate;
    if (served !== undefined && served.notAfterMs <= settings.nowMs)
      findings.push(expired(context, termination, served.notAfterMs));
  }
  return { origination, sni, redirected, guards, owners, findings, nextExpiryMs };
}

/** The policy that a Mapping names in `tls`: a TLSContext of its own namespace, or `name.namespace`. */
export function originationNamed(
  { origination }: Pick<ContextsResult, 'origination'>,
  name: string,
  namespace: string,
): { policy: UpstreamTlsPolicy } | { error: string; missing?: boolean } {
  const dot = name.lastIndexOf('.');
  const elsewhere = dot < 0 ? undefined : origination.get(`${name.slice(dot + 1)}/${name.slice(0, dot)}`);
  const found = origination.get(`${namespace}/${name}`) ?? elsewhere;
  if (found === undefined) {
    const others = [...origination.keys()]
      .filter(key => key.endsWith(`/${name}`))
      .map(key => key.slice(0, key.indexOf('/')));
    const hint = others[0] === undefined ? 'create it, or correct the name' : `write "${name}.${others[0]}"`;
    return {
      error: `spec.tls is ${quoted(name)}, and there is no such TLSContext in ${quoted(namespace)}: ${hint}`,
      missing: true,
    };
  }
  return 'error' in found
    ? { ...found, error: `the TLSContext ${quoted(name)} cannot be used: ${found.error}` }
    : found;
}

function findingsOf(context: TlsContext, { origination, termination, notes }: ReadContext): Finding[] {
  const findings: Finding[] = notes.map(message => ({
    object: context,
    reason: findingReasons.tlsContextAdjusted,
    message,
  }));
  const errors = new Map<string, boolean>();
  const parts = [origination, termination?.certificate, termination?.clients];
  for (const part of parts)
    if (part !== undefined && 'error' in part)
      errors.set(part.error, 'missing' in part ? part.missing : false);
  for (const [error, missing] of errors) {
    const reason = missing ? findingReasons.secretNotFound : findingReasons.tlsContextInvalid;
    findings.push({
      object: context,
      reason,
      message: `${error}. Until then what uses this TLSContext answers 503`,
    });
  }
  for (const host of termination?.unknownHosts ?? []) {
    const message = `spec.hosts has ${quoted(host)}, which is passed over: use a name, "*." and a name, or "*"`;
    findings.push({ object: context, reason: findingReasons.hostInvalid, message });
  }
  return findings;
}

function sniEntryOf(
  termination: Termination,
  host: string,
  context: TlsContext,
  findings: Finding[],
): SniEntry {
  const settings = settingsOf(termination);
  const { certificate: result } = termination;
  if ('error' in result) return { kind: 'default', reason: result.error, settings };
  const { certificate, names } = result;
  if (host === '*' || names.includes(host) || names.includes(wildcardFor(host) ?? host))
    return { kind: 'certificate', certificate, settings };
  const message = `the certificate in Secret ${quoted(termination.secret)} is not for ${quoted(host)} of spec.hosts, which is served with the default certificate`;
  findings.push({ object: context, reason: findingReasons.certificateMismatch, message });
  return { kind: 'default', reason: 'the certificate is for other names', settings };
}

/** Undefined where the flags hold. */
function settingsOf({ handshake, alpn, clients }: Termination): HostTlsSettings | undefined {
  const { minVersion, maxVersion, ciphers, curves } = handshake;
  const spoken = alpn?.filter(one => one === 'h2' || one === 'http/1.1');
  const clientCertificate = clients !== undefined && 'policy' in clients ? clients.policy : undefined;
  const plain =
    minVersion === 'TLSv1.2' && maxVersion === 'TLSv1.3' && ciphers === undefined && curves === undefined;
  if (plain && spoken === undefined && clientCertificate === undefined) return undefined;
  const id = JSON.stringify([minVersion, maxVersion, ciphers, curves, spoken, clientCertificate?.id]);
  return { id, minVersion, maxVersion, ciphers, curves, alpn: spoken, clientCertificate };
}

function expired(context: TlsContext, { secret }: Termination, expiry: number): Finding {
  const at = new Date(expiry).toISOString();
  const message = `the certificate in Secret ${quoted(secret)} expired at ${at}: renew it`;
  return { object: context, reason: findingReasons.certificateExpired, message };
}

/** The hosts of a TLSContext of which nothing else is understood. */
function hostsWritten(spec: unknown): string[] {
  const hosts = typeof spec === 'object' && spec !== null && 'hosts' in spec ? spec.hosts : undefined;
  const written: readonly unknown[] = Array.isArray(hosts) ? hosts : [hosts];
  return written.flatMap(host => {
    const lower = typeof host === 'string' ? host.toLowerCase() : '';
    return lower === '*' || parseRuleHost(lower) !== undefined ? lower : [];
  });
}

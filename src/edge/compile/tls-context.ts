import { createHash } from 'node:crypto';
import type { TlsContext, TlsContextSpec } from '../../api/getambassador/tls-context.ts';
import { type Secret, tlsCaKey, tlsCertificateKey } from '../../api/kubernetes/secret.ts';
import { isDnsSubdomain } from '../../api/syntax.ts';
import { messageOf } from '../../core/errors.ts';
import { parsePem } from '../../pki/pem.ts';
import { parseRuleHost } from '../match/host.ts';
import type { ClientCertificatePolicy } from '../policy/route-policy.ts';
import { handshakeOf } from './context-handshake.ts';
import { quoted } from './quoted.ts';
import { secretText } from './secret-text.ts';
import { certificatesIn, type ServerCertificateResult, serverCertificateOf } from './server-certificate.ts';
import type { Snapshot } from './snapshot.ts';
import { type HandshakeOptions, plainHandshake } from './table.ts';
import { plainUpstreamTls, type UpstreamTlsPolicy } from './upstream-tls.ts';

/** What is wrong with a TLSContext, so that what uses it answers 503. */
export interface ContextError {
  readonly error: string;
  /** A Secret is not there (yet). */
  readonly missing?: boolean;
}

/** A TLSContext, read: for upstreams, and for clients where it has hosts. */
export interface ReadContext {
  readonly origination: { readonly policy: UpstreamTlsPolicy } | ContextError;
  readonly termination: Termination | undefined;
  /** What is done in another way than it says. */
  readonly notes: readonly string[];
  /** When the certificate in `secret` expires, in milliseconds since the epoch. */
  readonly notAfterMs: number | undefined;
}

/** How the hosts of a TLSContext are served. */
export interface Termination {
  /** Names, one-label wildcards, or `*`. */
  readonly hosts: readonly string[];
  readonly unknownHosts: readonly string[];
  /** `namespace/name`, as messages name it. */
  readonly secret: string;
  readonly certificate: ServerCertificateResult & { readonly missing?: boolean };
  readonly handshake: HandshakeOptions;
  readonly alpn: readonly string[] | undefined;
  /** Undefined where clients are asked for nothing. */
  readonly clients: { readonly policy: ClientCertificatePolicy } | ContextError | undefined;
  readonly redirectCleartext: boolean;
}

/** The object as far as it was taken from the API, and what it is read with. */
interface Reading {
  readonly namespace: string;
  readonly spec: TlsContextSpec;
  readonly snapshot: Pick<Snapshot, 'secret'>;
}

export interface ContextSettings {
  /** AMBASSADOR_FORCE_SECRET_VALIDATION: a certificate that has expired, or is not valid yet, is refused too. */
  readonly forceSecretValidation: boolean;
  readonly nowMs: number;
}

/** Reads a TLSContext and the Secrets that it names. Nothing is passed over in silence: what cannot be honoured is an error. */
export function readTlsContext(
  context: TlsContext,
  snapshot: Pick<Snapshot, 'secret'>,
  settings: ContextSettings,
): ReadContext {
  const reading: Reading = { namespace: context.metadata.namespace ?? '', spec: context.spec, snapshot };
  const notes: string[] = [];
  const handshake = handshakeOf(context.spec, notes);
  const own = handshake instanceof Error ? { error: handshake.message } : filesOf(context.spec);
  const hosts = (context.spec.hosts ?? []).map(host => host.toLowerCase());
  const options = handshake instanceof Error ? plainHandshake : handshake;
  return {
    origination: own ?? originationOf(reading, options, settings),
    termination: hosts.length === 0 ? undefined : terminationOf(reading, hosts, options, own, settings),
    notes,
    notAfterMs: expiryOf(reading),
  };
}

function originationOf(
  reading: Reading,
  handshake: HandshakeOptions,
  settings: ContextSettings,
): ReadContext['origination'] {
  const { spec } = reading;
  const name = spec.sni === undefined || spec.sni === '' ? undefined : spec.sni.toLowerCase();
  if (name !== undefined && (parseRuleHost(name) === undefined || name.startsWith('*')))
    return { error: `spec.sni is ${quoted(spec.sni ?? '')}: use a host name` };
  const pair = spec.secret === undefined ? undefined : pairOf(reading, spec.secret, settings);
  if (pair !== undefined && 'error' in pair) return pair;
  const authorities = authoritiesOf(reading, pair?.secret);
  if ('error' in authorities) return authorities;
  const crl = revocationsOf(reading);
  if (crl !== undefined && typeof crl === 'object') return crl;
  const client =
    pair === undefined ? undefined : { certificate: pair.certificate.chain, key: pair.certificate.key };
  return { policy: { ...plainUpstreamTls, name, ca: authorities.ca, client, crl, handshake } };
}

function terminationOf(
  reading: Reading,
  written: readonly string[],
  handshake: HandshakeOptions,
  own: ContextError | undefined,
  settings: ContextSettings,
): Termination {
  const { spec } = reading;
  const hosts = written.filter(host => host === '*' || parseRuleHost(host) !== undefined);
  const pair = own ?? pairOf(reading, spec.secret ?? '', settings);
  const alpn = spec.alpn_protocols
    ?.split(',')
    .map(one => one.trim())
    .filter(one => one !== '');
  return {
    hosts,
    unknownHosts: written.filter(host => !hosts.includes(host)),
    secret: 'error' in pair ? (spec.secret ?? '') : pair.certificate.secret,
    certificate: 'error' in pair ? pair : pair.result,
    handshake,
    alpn: alpn === undefined || alpn.length === 0 ? undefined : alpn,
    clients: own ?? clientsOf(reading),
    redirectCleartext: spec.redirect_cleartext_from !== undefined,
  };
}

function clientsOf(reading: Reading): Termination['clients'] {
  const { spec } = reading;
  if (spec.ca_secret === undefined) {
    return spec.cert_required === true
      ? { error: 'spec.cert_required is true without spec.ca_secret: name the Secret with the authorities' }
      : undefined;
  }
  const authorities = authoritiesOf(reading, undefined);
  if ('error' in authorities) return authorities;
  const crl = revocationsOf(reading);
  if (crl !== undefined && typeof crl === 'object') return crl;
  const mode = spec.cert_required === true ? 'on' : 'optional';
  const ca = authorities.ca ?? '';
  const id = createHash('sha256')
    .update(JSON.stringify([mode, ca, crl]))
    .digest('hex');
  return {
    policy: {
      id,
      mode,
      ca,
      crl,
      depth: 100,
      passToUpstream: false,
      errorPage: undefined,
      commonName: undefined,
    },
  };
}

function filesOf(spec: TlsContextSpec): ContextError | undefined {
  for (const field of ['cert_chain_file', 'private_key_file', 'cacert_chain_file', 'crl_file'] as const)
    if (spec[field] !== undefined)
      return { error: `spec.${field} names a file: put it into a Secret and name that` };
  return undefined;
}

function expiryOf(reading: Reading): number | undefined {
  const { secret: name } = reading.spec;
  const found = name === undefined ? undefined : secretNamed(reading, 'secret', name);
  if (found === undefined || 'error' in found) return undefined;
  const result = serverCertificateOf(found.secret);
  return 'error' in result ? undefined : result.certificate.notAfterMs;
}

/** The certificate and key that a context shows: to upstreams, and to clients. */
function pairOf(
  reading: Reading,
  name: string,
  { forceSecretValidation, nowMs }: ContextSettings,
):
  | {
      secret: Secret;
      result: ServerCertificateResult;
      certificate: Extract<ServerCertificateResult, { certificate: unknown }>['certificate'];
    }
  | ContextError {
  const found = secretNamed(reading, 'secret', name);
  if ('error' in found) return found;
  const result = serverCertificateOf(found.secret);
  if ('error' in result) return { error: `${found.named} cannot be used: ${result.error}` };
  if (forceSecretValidation) {
    const error = timeError(result.certificate.chain, nowMs);
    if (error !== undefined) return { error: `${found.named} cannot be used: ${error}` };
  }
  return { secret: found.secret, result, certificate: result.certificate };
}

function timeError(chain: string, nowMs: number): string | undefined {
  const leaf = certificatesIn(chain)[0];
  if (leaf === undefined) return 'it holds no certificate';
  if (Date.parse(leaf.validTo) <= nowMs)
    return `its certificate expired at ${new Date(leaf.validTo).toISOString()}`;
  const from = Date.parse(leaf.validFrom);
  return from > nowMs ? `its certificate is not valid before ${new Date(from).toISOString()}` : undefined;
}

/** The authorities of `ca_secret`; for upstreams, where it is left out, the `ca.crt` beside the client's certificate. */
function authoritiesOf(
  reading: Reading,
  beside: Secret | undefined,
): { ca: string | undefined } | ContextError {
  const { ca_secret: name } = reading.spec;
  if (name === undefined) {
    const ca = beside && secretText(beside, tlsCaKey);
    if (ca === undefined) return { ca: undefined };
    const error = authoritiesError(ca);
    return error === undefined ? { ca } : { error: `its Secret's ${tlsCaKey} cannot be used: ${error}` };
  }
  const found = secretNamed(reading, 'ca_secret', name);
  if ('error' in found) return found;
  const text = [tlsCertificateKey, tlsCaKey].flatMap(key => secretText(found.secret, key) ?? []);
  if (text.length === 0)
    return {
      error: `${found.named} has neither ${tlsCertificateKey} nor ${tlsCaKey}: put the authorities there`,
    };
  const errors = text.map(authoritiesError);
  const error = errors.find(one => one !== undefined);
  if (error !== undefined) return { error: `${found.named} cannot be used: ${error}` };
  // A leaf in tls.crt, as cert-manager's Secrets have it beside ca.crt, is no authority.
  const [first = '', second] = text;
  return { ca: second === undefined || isAuthority(first) ? first : second };
}

function isAuthority(pem: string): boolean {
  return certificatesIn(pem)[0]?.ca === true;
}

function revocationsOf(reading: Reading): string | undefined | ContextError {
  const { crl_secret: name } = reading.spec;
  if (name === undefined) return undefined;
  const found = secretNamed(reading, 'crl_secret', name);
  if ('error' in found) return found;
  const crl = secretText(found.secret, 'crl.pem');
  if (crl === undefined) return { error: `${found.named} has no crl.pem: put the revocation list there` };
  const error = listError(crl);
  return error === undefined ? crl : { error: `${found.named} cannot be used: ${error}` };
}

function authoritiesError(text: string): string | undefined {
  try {
    return certificatesIn(text).length === 0 ? 'it holds no certificate in PEM form' : undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function listError(text: string): string | undefined {
  try {
    return parsePem(text).some(({ label }) => label === 'X509 CRL')
      ? undefined
      : 'it holds no revocation list in PEM form';
  } catch (error) {
    return messageOf(error);
  }
}

function secretNamed(
  { namespace, spec, snapshot }: Reading,
  field: 'secret' | 'ca_secret' | 'crl_secret',
  name: string,
): { secret: Secret; named: string } | ContextError {
  const dot = spec.secret_namespacing === false ? -1 : name.lastIndexOf('.');
  const key = dot < 0 ? { namespace, name } : { namespace: name.slice(dot + 1), name: name.slice(0, dot) };
  if (!isDnsSubdomain(key.name) || !isDnsSubdomain(key.namespace))
    return { error: `spec.${field} is ${quoted(name)}: write it as "name" or "name.namespace"` };
  const named = `Secret ${quoted(`${key.namespace}/${key.name}`)} of spec.${field}`;
  const secret = snapshot.secret(key);
  return secret === undefined
    ? { error: `${named} does not exist: create it`, missing: true }
    : { secret, named };
}

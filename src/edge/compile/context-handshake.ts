import { getCiphers } from 'node:tls';
import type { TlsContextSpec } from '../../api/getambassador/tls-context.ts';
import { quoted } from './quoted.ts';
import type { HandshakeOptions, TlsVersion } from './table.ts';

const versions: Readonly<Record<string, TlsVersion>> = { 'v1.2': 'TLSv1.2', 'v1.3': 'TLSv1.3' };

/**
 * The versions, suites and groups that a TLSContext asks for, or what is wrong with them. What is done in another way than it
 * says is told in `notes`.
 */
export function handshakeOf(spec: TlsContextSpec, notes: string[]): HandshakeOptions | Error {
  const { min_tls_version: min, max_tls_version: max } = spec;
  const maxVersion = max === undefined ? 'TLSv1.3' : versions[max];
  if (maxVersion === undefined)
    return new Error(
      `spec.max_tls_version is ${quoted(max ?? '')}, and TLS 1.2 is the lowest: use "v1.2" or "v1.3"`,
    );
  const known = min === undefined ? 'TLSv1.2' : versions[min];
  if (known === undefined)
    notes.push(`spec.min_tls_version is ${quoted(min ?? '')}: "v1.2" is the lowest that is spoken`);
  const minVersion = known ?? 'TLSv1.2';
  if (minVersion > maxVersion)
    return new Error(
      `spec.min_tls_version ${quoted(min ?? '')} is above spec.max_tls_version ${quoted(max ?? '')}`,
    );
  const ciphers = ciphersOf(spec.cipher_suites ?? [], notes);
  if (ciphers instanceof Error) return ciphers;
  const curves = curvesOf(spec.ecdh_curves ?? []);
  if (curves instanceof Error) return curves;
  return { minVersion, maxVersion, ciphers, curves };
}

const opensslNames: ReadonlySet<string> = new Set(getCiphers());

/** Envoy's lists may name equal suites in brackets, `[A|B]`. Suites without AEAD are left out. */
function ciphersOf(written: readonly string[], notes: string[]): string | undefined | Error {
  const names = written.flatMap(one => one.replaceAll(/[[\]]/g, '').split(/[|:]/)).filter(one => one !== '');
  if (names.length === 0) return undefined;
  const unknown = names.find(name => !opensslNames.has(name.toLowerCase()));
  if (unknown !== undefined)
    return new Error(
      `spec.cipher_suites has ${quoted(unknown)}, which OpenSSL does not know: correct or remove it`,
    );
  const sealed = names.filter(name => /^ECDHE-.*(GCM|POLY1305)/.test(name));
  const weak = names.filter(name => !sealed.includes(name) && !name.startsWith('TLS_'));
  if (sealed.length === 0 && weak.length > 0)
    return new Error(
      'spec.cipher_suites has no suite with AEAD and forward secrecy: name one, or remove the field',
    );
  if (weak.length > 0)
    notes.push(`spec.cipher_suites: ${weak.join(', ')} are left out: without AEAD or forward secrecy`);
  return sealed.length === 0 ? undefined : sealed.join(':');
}

const curveNames: ReadonlyMap<string, string> = new Map([
  ['x25519', 'X25519'],
  ['p-256', 'P-256'],
  ['p-384', 'P-384'],
  ['p-521', 'P-521'],
  ['prime256v1', 'P-256'],
  ['secp384r1', 'P-384'],
  ['secp521r1', 'P-521'],
]);

function curvesOf(written: readonly string[]): string | undefined | Error {
  const unknown = written.find(name => !curveNames.has(name.toLowerCase()));
  if (unknown !== undefined)
    return new Error(`spec.ecdh_curves has ${quoted(unknown)}: use X25519, P-256, P-384 or P-521`);
  const curves = written.map(name => curveNames.get(name.toLowerCase()) ?? '');
  return curves.length === 0 ? undefined : curves.join(':');
}

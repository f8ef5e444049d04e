import { beforeAll, describe, expect, it } from 'vitest';
import type { TlsContextSpec } from '../../api/getambassador/tls-context.ts';
import type { Secret } from '../../api/kubernetes/secret.ts';
import { makeAuthority, type TestAuthority, type TestCertificate } from '../certificates.testing.ts';
import { aSecret, testNowMs } from './builders.testing.ts';
import {
  aMapping,
  aTlsContext,
  backendOf,
  compileEmissary,
  type EmissaryWorld,
  mappedRoute,
  messagesOf,
} from './mappings.testing.ts';
import type { CompileSettings } from './settings.ts';

let authority: TestAuthority;
let pair: TestCertificate;
let expired: TestCertificate;
const crl = '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n';

beforeAll(async () => {
  authority = await makeAuthority('Test CA', testNowMs);
  pair = await authority.issue(['client.example', '*.shop.example']);
  expired = await authority.issue(['client.example'], { notAfterMs: testNowMs - 1_000 });
});

const client = (): Secret => aSecret('client', { 'tls.crt': pair.chain, 'tls.key': pair.key });
const ca = (): Secret => aSecret('ca', { 'tls.crt': authority.certificate });

/** What a Mapping with `tls: context` comes to. */
function originated(
  spec: TlsContextSpec,
  secrets: readonly Secret[],
  settings: Partial<CompileSettings> = {},
) {
  const world: EmissaryWorld = {
    mappings: [aMapping({ service: 'https://web', tls: 'context' }, 'm')],
    tlsContexts: [aTlsContext(spec)],
    secrets,
  };
  const result = compileEmissary(world, settings);
  return { backend: backendOf(result, mappedRoute(result, 'a.example/')), messages: messagesOf(result) };
}

describe('edge.md 3: TLSContexts for upstreams', () => {
  it.each<[string, TlsContextSpec, object]>([
    ['nothing: no Secret is needed', {}, { verify: true, ca: undefined, client: undefined, crl: undefined }],
    [
      'sni is sent and verified',
      { sni: 'Up.example' },
      { serverName: 'up.example', verifiedName: 'up.example' },
    ],
    ['v1.3', { min_tls_version: 'v1.3' }, { handshake: { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } }],
    [
      'v1.2 at most',
      { max_tls_version: 'v1.2' },
      { handshake: { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } },
    ],
    [
      'suites, without those that are weak',
      { cipher_suites: ['[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]', 'AES128-SHA'] },
      { handshake: { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305' } },
    ],
    ['curves', { ecdh_curves: ['X25519', 'P-256'] }, { handshake: { curves: 'X25519:P-256' } }],
  ])('%s', (_name, spec, expected) => {
    expect(originated(spec, []).backend).toMatchObject({ kind: 'endpoints', tls: expected });
  });

  it('a client certificate, by name and by name.namespace', () => {
    const elsewhere = { ...client(), metadata: { name: 'a.b', namespace: 'vault' } };
    for (const [secret, secrets] of [
      ['client', [client()]],
      ['a.b.vault', [elsewhere]],
    ] as const)
      expect(originated({ secret }, secrets)).toMatchObject({
        backend: { tls: { client: { certificate: pair.chain } } },
        messages: [],
      });
    const dotted = { ...client(), metadata: { name: 'a.b', namespace: 'default' } };
    expect(originated({ secret: 'a.b', secret_namespacing: false }, [dotted])).toMatchObject({
      messages: [],
    });
  });

  it('authorities in tls.crt, in ca.crt, beside a leaf, and beside the client certificate', () => {
    const beside = (name: string) =>
      aSecret(name, { 'tls.crt': pair.chain, 'tls.key': pair.key, 'ca.crt': authority.certificate });
    for (const [spec, secret] of [
      [{ ca_secret: 'ca' }, ca()],
      [{ ca_secret: 'ca' }, aSecret('ca', { 'ca.crt': authority.certificate })],
      [{ ca_secret: 'ca' }, beside('ca')],
      [{ secret: 'client' }, beside('client')],
    ] as const)
      expect(originated(spec, [secret]).backend).toMatchObject({ tls: { ca: authority.certificate } });
  });

  it('a revocation list', () => {
    const secrets = [ca(), aSecret('crl', { 'crl.pem': crl })];
    expect(originated({ ca_secret: 'ca', crl_secret: 'crl' }, secrets).backend).toMatchObject({
      tls: { crl },
    });
  });

  it.each<[string, () => [TlsContextSpec, Secret[]], string]>([
    [
      'a Secret that is missing',
      () => [{ secret: 'client' }, []],
      'Secret "default/client" of spec.secret does not exist',
    ],
    [
      'a Secret with another key',
      () => [{ secret: 'client' }, [aSecret('client', { 'tls.crt': pair.chain, 'tls.key': expired.key })]],
      'its tls.key is not the key of the first certificate',
    ],
    [
      'a Secret without a key',
      () => [{ secret: 'client' }, [aSecret('client', { 'tls.crt': pair.chain })]],
      'its tls.key is missing',
    ],
    [
      'a CA that is missing',
      () => [{ ca_secret: 'ca' }, []],
      'Secret "default/ca" of spec.ca_secret does not exist',
    ],
    [
      'a CA without certificates',
      () => [{ ca_secret: 'ca' }, [aSecret('ca', { 'tls.crt': 'nonsense' })]],
      'it holds no certificate in PEM form',
    ],
    [
      'a CA Secret with nothing',
      () => [{ ca_secret: 'ca' }, [aSecret('ca', {})]],
      'has neither tls.crt nor ca.crt',
    ],
    [
      'a list that is missing',
      () => [{ crl_secret: 'crl' }, []],
      'Secret "default/crl" of spec.crl_secret does not exist',
    ],
    [
      'a list that is none',
      () => [{ crl_secret: 'crl' }, [aSecret('crl', { 'crl.pem': 'x' })]],
      'it holds no revocation list',
    ],
    ['a name that is none', () => [{ secret: 'a..b' }, []], 'write it as "name" or "name.namespace"'],
    ['a suite that nobody knows', () => [{ cipher_suites: ['FANCY'] }, []], 'spec.cipher_suites has "FANCY"'],
    ['weak suites alone', () => [{ cipher_suites: ['AES128-SHA'] }, []], 'has no suite with AEAD'],
    ['a curve that nobody knows', () => [{ ecdh_curves: ['P-1'] }, []], 'spec.ecdh_curves has "P-1"'],
    [
      'a curve by the name of a property',
      () => [{ ecdh_curves: ['constructor'] }, []],
      'spec.ecdh_curves has "constructor"',
    ],
    ['TLS 1.1 at most', () => [{ max_tls_version: 'v1.1' }, []], 'spec.max_tls_version is "v1.1"'],
    [
      'a minimum above the maximum',
      () => [{ min_tls_version: 'v1.3', max_tls_version: 'v1.2' }, []],
      'is above spec.max_tls_version',
    ],
    [
      'a version that nobody knows',
      () => [{ min_tls_version: 'v2' as 'v1.3' }, []],
      'spec.min_tls_version "v2" must be one of',
    ],
    ['an sni that is none', () => [{ sni: 'a b' }, []], 'spec.sni is "a b"'],
    [
      'a file',
      () => [{ cert_chain_file: '/a', private_key_file: '/b' }, []],
      'spec.cert_chain_file names a file',
    ],
  ])('%s: 503, never without TLS', (_name, given, message) => {
    const { backend, messages } = originated(...given());
    expect(backend).toMatchObject({ kind: 'fixed', backend: { kind: 'unavailable' } });
    expect(messages).toHaveLength(2);
    for (const text of messages) expect(text).toContain(message);
  });

  it('v1.1 at least is v1.2 at least, and says so', () => {
    expect(originated({ min_tls_version: 'v1.1' }, [])).toMatchObject({
      backend: { tls: { handshake: { minVersion: 'TLSv1.2' } } },
      messages: [
        'context TLSContextAdjusted: spec.min_tls_version is "v1.1": "v1.2" is the lowest that is spoken',
      ],
    });
  });

  it('AMBASSADOR_FORCE_SECRET_VALIDATION: an expired certificate is none', () => {
    const secrets = [aSecret('client', { 'tls.crt': expired.chain, 'tls.key': expired.key })];
    expect(originated({ secret: 'client' }, secrets).backend).toMatchObject({ kind: 'endpoints' });
    const forced = originated({ secret: 'client' }, secrets, { forceSecretValidation: true });
    expect(forced.backend).toMatchObject({ backend: { kind: 'unavailable' } });
    expect(forced.messages[0]).toContain('its certificate expired at 2025-12-31');
  });

  it('is of the own namespace, or named with its own', () => {
    const world = (tls: string) =>
      compileEmissary({
        mappings: [aMapping({ service: 'https://web', tls }, 'm')],
        tlsContexts: [aTlsContext({ sni: 'up.example' }, 'context', 'shared')],
      });
    expect(messagesOf(world('context'))).toEqual([
      'm SecretNotFound: spec.tls is "context", and there is no such TLSContext in "default": write "context.shared". Until then it answers 503',
    ]);
    const named = world('context.shared');
    expect(backendOf(named, mappedRoute(named, 'a.example/'))).toMatchObject({
      tls: { serverName: 'up.example' },
    });
    const missing = world('other');
    expect(backendOf(missing, mappedRoute(missing, 'a.example/'))).toMatchObject({
      backend: { kind: 'unavailable' },
    });
  });

  it('wins over http:// in service, visibly', () => {
    const result = compileEmissary({
      mappings: [aMapping({ service: 'http://web', tls: 'context' }, 'm')],
      tlsContexts: [aTlsContext({})],
    });
    expect(backendOf(result, mappedRoute(result, 'a.example/'))).toMatchObject({
      tls: { verify: true },
      key: expect.stringMatching(/^default\/web:443 tls /) as string,
    });
    expect(messagesOf(result)).toEqual([expect.stringContaining('TLS is spoken; remove one of the two')]);
  });
});

describe('edge.md 3: TLSContexts for hosts', () => {
  const server = (): Secret => aSecret('server', { 'tls.crt': pair.chain, 'tls.key': pair.key });
  const terminated = (spec: TlsContextSpec, secrets: readonly Secret[], hostname = '*') =>
    compileEmissary({
      mappings: [aMapping({ prefix: '/', hostname }, 'm')],
      tlsContexts: [aTlsContext({ secret: 'server', ...spec })],
      secrets,
    });

  it('serve them with the certificate, * as the default one', () => {
    const { contexts } = terminated({ hosts: ['client.example', 'A.shop.example', '*'] }, [server()]);
    expect([...contexts.sni].map(([host, { kind }]) => [host, kind])).toEqual([
      ['client.example', 'certificate'],
      ['a.shop.example', 'certificate'],
      ['', 'certificate'],
    ]);
    expect(contexts.nextExpiryMs).toBe(testNowMs + 90 * 86_400_000);
  });

  it.each<[string, TlsContextSpec, object | undefined]>([
    ['as the flags say', {}, undefined],
    ['from a version on', { min_tls_version: 'v1.3' }, { minVersion: 'TLSv1.3' }],
    ['with protocols', { alpn_protocols: 'h2, http/1.1' }, { alpn: ['h2', 'http/1.1'] }],
  ])('%s', (_name, spec, settings) => {
    const entry = terminated({ hosts: ['client.example'], ...spec }, [server()]).contexts.sni.get(
      'client.example',
    );
    if (settings === undefined) expect(entry?.settings).toBeUndefined();
    else expect(entry?.settings).toMatchObject(settings);
  });

  it('are served with the default certificate where theirs is for others, or missing', () => {
    const other = terminated({ hosts: ['other.example'] }, [server()]);
    expect(other.contexts.sni.get('other.example')).toMatchObject({ kind: 'default' });
    expect(messagesOf(other)).toEqual([expect.stringContaining('CertificateHostMismatch')]);
    const missing = terminated({ hosts: ['client.example'] }, []);
    expect(missing.contexts.sni.get('client.example')).toMatchObject({ kind: 'default' });
    expect(messagesOf(missing)).toEqual([expect.stringContaining('SecretNotFound')]);
  });

  it('ask their clients for certificates, and no other host does', () => {
    const result = terminated(
      { hosts: ['client.example', '*.shop.example'], ca_secret: 'ca', cert_required: true },
      [server(), ca()],
    );
    const guard = (host: string) => mappedRoute(result, `${host}/`)?.policy;
    const policy = { mode: 'on', ca: authority.certificate };
    expect(guard('client.example')).toMatchObject({
      clientCertificate: policy,
      redirect: { forceSsl: true },
    });
    expect(guard('a.shop.example')).toMatchObject({ clientCertificate: policy });
    expect(guard('shop.example')?.clientCertificate).toBeUndefined();
    expect(result.contexts.sni.get('client.example')?.settings?.clientCertificate).toMatchObject(policy);
    const named = terminated(
      { hosts: ['client.example'], ca_secret: 'ca' },
      [server(), ca()],
      'client.example',
    );
    expect(mappedRoute(named, 'client.example/')?.policy.clientCertificate).toMatchObject({
      mode: 'optional',
    });
  });

  it('keep their guard whatever Mapping a request finds, and change no order', () => {
    const result = compileEmissary({
      mappings: [
        aMapping({ prefix: '/' }, 'all'),
        aMapping({ prefix: '/', hostname: 'client.example' }, 'own'),
        aMapping({ prefix: '/deep/', v2BoolHeaders: ['x-a'] }, 'deep'),
      ],
      tlsContexts: [
        aTlsContext({ hosts: ['client.example'], secret: 'server', ca_secret: 'ca', cert_required: true }),
      ],
      secrets: [server(), ca()],
    });
    for (const [url, name] of [
      ['client.example/', 'own'],
      ['client.example/deep/', 'deep'],
    ] as const) {
      const route = mappedRoute(result, url, ['x-a', '1']);
      expect(route?.source.name).toBe(name);
      expect(route?.policy.clientCertificate).toBeDefined();
    }
    expect(mappedRoute(result, 'a.example/deep/', ['x-a', '1'])?.policy.clientCertificate).toBeUndefined();
  });

  it.each<[string, TlsContextSpec]>([
    ['without authorities', { cert_required: true }],
    ['without the Secret of the authorities', { cert_required: true, ca_secret: 'gone' }],
    ['without the list', { cert_required: true, ca_secret: 'ca', crl_secret: 'gone' }],
  ])('that cannot ask their clients, %s, answer 503', (_name, spec) => {
    const result = terminated({ hosts: ['client.example'], ...spec }, [server(), ca()]);
    expect(mappedRoute(result, 'client.example/')?.policy.refusal).toMatch(/^(spec\.cert_required|Secret)/);
    expect(mappedRoute(result, 'a.example/')?.policy.refusal).toBeUndefined();
  });

  it.each<[string, object]>([
    ['without a Secret', { hosts: ['client.example'], ca_secret: 'ca', cert_required: true }],
    [
      'with a field of another form',
      { hosts: ['Client.example'], secret: 'server', ca_secret: 'ca', alpn_protocols: ['h2'] },
    ],
    ['with a host that is no list', { hosts: 'client.example', secret: 'server', ca_secret: 'ca' }],
  ])('of which a TLSContext cannot be read, %s, answer 503', (_name, spec) => {
    const result = compileEmissary({
      mappings: [aMapping({ prefix: '/' }, 'm'), aMapping({ hostname: 'client.example' }, 'own')],
      tlsContexts: [aTlsContext(spec)],
      secrets: [server(), ca()],
    });
    expect(mappedRoute(result, 'client.example/')?.policy.refusal).toMatch(/^spec\./);
    expect(mappedRoute(result, 'a.example/')?.policy.refusal).toBeUndefined();
    expect(messagesOf(result)).toEqual([expect.stringMatching(/answers 503$/)]);
  });

  it('get no requests from Mappings of other hosts by their guard', () => {
    const hosts = ['client.example', 'shop.example', '*.shop.example'];
    const result = compileEmissary({
      mappings: [
        aMapping({ hostname: 'client.example' }, 'own'),
        aMapping({ hostname: '*.client.example' }, 'below'),
        aMapping({ hostname: undefined, host: 'a[.]long[.]name[.]of[.]others', host_regex: true }, 'regex'),
        aMapping({ hostname: '*.deep.shop.example' }, 'deep'),
        aMapping({ hostname: 'others.*' }, 'beginning'),
      ],
      tlsContexts: [aTlsContext({ hosts, secret: 'server', ca_secret: 'ca', cert_required: true })],
      secrets: [server(), ca()],
    });
    const found = (host: string) => mappedRoute(result, `${host}/`)?.source.name;
    expect(found('client.example')).toBe('own');
    expect(found('shop.example')).toBeUndefined();
    expect(found('a.shop.example')).toBeUndefined();
    expect(found('a.deep.shop.example')).toBe('deep');
    // A wildcard of a TLSContext is for one label, and so is what its clients are asked for.
    expect(mappedRoute(result, 'a.deep.shop.example/')?.policy.clientCertificate).toBeUndefined();
    expect(found('others.shop.example')).toBe('beginning');
    expect(mappedRoute(result, 'others.shop.example/')?.policy.clientCertificate).toBeDefined();
    expect(mappedRoute(result, 'others.example/')?.policy.clientCertificate).toBeUndefined();
  });

  it('redirect plain HTTP where redirect_cleartext_from is set', () => {
    const some = terminated({ hosts: ['client.example'], redirect_cleartext_from: 8080 }, [server()]);
    expect([...some.contexts.redirected]).toEqual(['client.example']);
    const all = terminated({ hosts: ['*'], redirect_cleartext_from: 8080 }, [server()]);
    expect(mappedRoute(all, 'a.example/')?.policy.redirect.forceSsl).toBe(true);
  });

  it('belong to the oldest TLSContext that names them', () => {
    const young = aTlsContext({ hosts: ['client.example'], secret: 'server' }, 'young');
    const old = aTlsContext({ hosts: ['client.example'], secret: 'server', min_tls_version: 'v1.3' }, 'old');
    const { contexts, findings } = compileEmissary({
      tlsContexts: [
        { ...young, metadata: { ...young.metadata, creationTimestamp: '2026-01-02T00:00:00Z' } },
        old,
      ],
      secrets: [server()],
    });
    expect(contexts.sni.get('client.example')?.settings).toMatchObject({ minVersion: 'TLSv1.3' });
    expect(findings.map(({ object, reason }) => [object.metadata.name, reason])).toEqual([
      ['young', 'TLSConflict'],
    ]);
  });
});

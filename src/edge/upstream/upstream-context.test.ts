import type { PeerCertificate } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { makeAuthority } from '../certificates.testing.ts';
import { plainHandshake, type UpstreamTls } from '../compile/table.ts';
import { upstreamContext, upstreamIdentity } from './upstream-context.ts';

let ca: string;
beforeAll(async () => {
  ca = (await makeAuthority()).certificate;
});

function tls(changes: Partial<UpstreamTls> = {}): UpstreamTls {
  return {
    id: 'x',
    verify: true,
    verifiedName: 'web.svc',
    serverName: undefined,
    ca: undefined,
    client: undefined,
    crl: undefined,
    depth: undefined,
    handshake: plainHandshake,
    ...changes,
  };
}

/** A verified chain with as many authorities between, as Node shows it: the last is its own issuer. */
function chain(between: number, name = 'web.svc'): PeerCertificate {
  const root: Record<string, unknown> = {};
  root['issuerCertificate'] = root;
  let at = root;
  for (let step = 0; step <= between; step += 1) at = { issuerCertificate: at };
  Object.assign(at, { subject: { CN: name }, subjectaltname: `DNS:${name}` });
  return at as unknown as PeerCertificate;
}

describe("an upstream's certificate", () => {
  it.each([
    [0, 0, true],
    [1, 0, false],
    [1, 1, true],
    [2, 1, false],
    [5, undefined, true],
  ])('with %s authorities between, at depth %s, is good: %s', (between, depth, good) => {
    const error = upstreamIdentity(tls({ depth }))('', chain(between));
    expect(error === undefined).toBe(good);
    if (!good) expect(error).toMatchObject({ code: 'CERT_CHAIN_TOO_LONG' });
  });

  it('has to have the name, whatever host was connected to', () => {
    expect(upstreamIdentity(tls())('10.0.0.1', chain(0))).toBeUndefined();
    expect(upstreamIdentity(tls())('other.svc', chain(0, 'other.svc'))).toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
  });

  it('that is its own authority has none between', () => {
    const own: Record<string, unknown> = { subject: { CN: 'web.svc' }, subjectaltname: 'DNS:web.svc' };
    own['issuerCertificate'] = own;
    expect(upstreamIdentity(tls({ depth: 0 }))('', own as unknown as PeerCertificate)).toBeUndefined();
  });
});

describe('the context', () => {
  it('is made once where the system alone is asked, for equal handshakes', () => {
    expect(upstreamContext(tls())).toBe(upstreamContext(tls({ handshake: { ...plainHandshake } })));
    expect(upstreamContext(tls())).not.toBe(upstreamContext(tls({ ca })));
    const strict = { ...plainHandshake, minVersion: 'TLSv1.3' } as const;
    expect(upstreamContext(tls({ handshake: strict }))).not.toBe(upstreamContext(tls()));
  });

  it.each<[string, Partial<UpstreamTls>]>([
    ['revocations that do not parse', { crl: 'no PEM' }],
    ['a cipher that nobody knows', { handshake: { ...plainHandshake, ciphers: 'NO-SUCH-CIPHER:!ALL' } }],
    ['a curve that nobody knows', { handshake: { ...plainHandshake, curves: 'no-such-curve' } }],
  ])('%s: throws, and nothing is left out in silence', (_, changes) => {
    expect(() => upstreamContext(tls({ ca, ...changes }))).toThrow();
  });
});

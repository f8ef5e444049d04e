import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { redacted, redactFields, redactText, redactValue } from './redact.ts';

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keys = {
  'PKCS#8': ec.privateKey.export({ type: 'pkcs8', format: 'pem' }),
  SEC1: ec.privateKey.export({ type: 'sec1', format: 'pem' }),
  'PKCS#1': generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({
    type: 'pkcs1',
    format: 'pem',
  }),
  encrypted: ec.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }),
};
const jwt = 'eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJl';
const thumbprint = 'A'.repeat(43);

describe('redaction of texts', () => {
  it.each(Object.entries(keys))('takes out a %s private key, and leaves what is around it', (_, pem) => {
    expect(redactText(`before ${pem}after`)).toBe(`before ${redacted}\nafter`);
  });

  it.each(Object.entries(keys))('takes out a %s private key in base64, as a Secret has it', (_, pem) => {
    const inSecret = Buffer.from(pem).toString('base64');
    expect(redactText(`{"tls.key":"${inSecret}"}`)).toBe(`{"tls.key":"${redacted}"}`);
  });

  it('takes out what is left of a key that was cut', () => {
    expect(redactText(keys['PKCS#8'].slice(0, 90))).toBe(redacted);
  });

  it('takes out one key of several things', () => {
    const certificate = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----';
    expect(redactText(`${keys.SEC1}${certificate}`)).toBe(`${redacted}\n${certificate}`);
  });

  it.each([
    ['Authorization: Bearer abcdef123456', `Authorization: Bearer ${redacted}`],
    ['authorization: bearer abcdef123456', `authorization: bearer ${redacted}`],
    ['Basic dXNlcjpwYXNz', `Basic ${redacted}`],
    [`token ${jwt}.`, `token ${redacted}.`],
    ['https://user:hunter2@acme.test/dir', `https://user:${redacted}@acme.test/dir`],
    ['GET /.well-known/acme-challenge/abc-DEF_1?x', `GET /.well-known/acme-challenge/${redacted}?x`],
    [`DGyRejmCefe7v4NfDGDKfA.${thumbprint}`, redacted],
  ])('makes of %j %j', (text, expected) => {
    expect(redactText(text)).toBe(expected);
  });

  it.each([
    'Ingress default/shop has no secretName',
    'https://acme.test/directory',
    'the bearer of this',
    'www.a-rather-long-host-name-that-somebody-has-made-up.example.com',
    Buffer.from('-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----').toString('base64'),
    '2026-01-01T00:00:00Z',
    '6d5f7c9b-0a1e-4c8e-9f57-3a1b2c3d4e5f',
  ])('leaves %j alone', text => {
    expect(redactText(text)).toBe(text);
  });
});

describe('redaction of fields', () => {
  it.each([
    'key',
    'token',
    'password',
    'Authorization',
    'stringData',
    'privateKey',
    'private_key',
    'tls.key',
    'Set-Cookie',
  ])('hides the field %s at any depth, whatever it holds', name => {
    const shown = redactFields({ outer: [{ [name]: 'x', host: 'a.test' }], [name]: { a: 1 } });
    expect(shown).toEqual({ outer: [{ [name]: redacted, host: 'a.test' }], [name]: redacted });
  });

  it('hides the data of a Secret, and shows what names it', () => {
    const secret = {
      kind: 'Secret',
      metadata: { name: 'site-tls', namespace: 'shop' },
      type: 'kubernetes.io/tls',
      data: { 'tls.crt': 'eA==', 'tls.key': 'eA==' },
    };
    expect(redactFields({ secret })).toEqual({ secret: { ...secret, data: redacted } });
  });

  it('shows errors with their code and what caused them, without secrets and stacks', () => {
    const cause = Object.assign(new Error(`refused: Bearer abcdef123456`), { code: 'ECONNREFUSED' });
    const error = Object.assign(new Error('The API server cannot be reached.', { cause }), {
      code: 'KUBE_UNAVAILABLE',
    });
    expect(redactFields({ error })).toEqual({
      error: {
        code: 'KUBE_UNAVAILABLE',
        message: 'The API server cannot be reached.',
        cause: { code: 'ECONNREFUSED', message: `refused: Bearer ${redacted}` },
      },
    });
  });

  it('shows stacks where they are wanted, without secrets', () => {
    const shown = redactValue(new Error(`bad key ${keys.SEC1}`), true) as { stack: string };
    expect(shown.stack).toContain('redact.test.ts');
    expect(shown.stack).not.toContain('BEGIN');
  });

  it('survives anything', () => {
    const circle: Record<string, unknown> = { name: 'circle' };
    circle['self'] = circle;
    let deep: unknown = 'bottom';
    for (let depth = 0; depth < 20; depth += 1) deep = { deep };
    expect(
      redactValue({
        circle,
        bytes: Buffer.alloc(9),
        big: 2n,
        when: new Date(0),
        run: () => {},
        nothing: null,
      }),
    ).toEqual({
      circle: { name: 'circle', self: '[circular]' },
      bytes: '[9 bytes]',
      big: '2',
      when: '1970-01-01T00:00:00.000Z',
      run: '[function]',
      nothing: null,
    });
    expect(JSON.stringify(redactValue(deep))).toContain('[...]');
    expect(redactValue(Array.from({ length: 60 }, (_, index) => index))).toHaveLength(51);
    expect(redactValue(new Map([['token', 'x']]))).toEqual({ token: redacted });
    expect(String(redactValue('x'.repeat(10_000))).length).toBeLessThan(5_000);
  });
});

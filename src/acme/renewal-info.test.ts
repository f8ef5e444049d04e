import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { manualClock } from '../core/clock.testing.ts';
import { type AcmeConnection, openAcme } from './connection.ts';
import { certIdOf, getRenewalInfo, isCertId } from './renewal-info.ts';
import { anAccountKey, problem, type ScriptedAcme, scriptedAcme } from './scripted-acme.testing.ts';

const authorityKeyId = Buffer.from('69885B6B87464041E1B37B847BA0AE2CDE01C8D4', 'hex');
const hourMs = 3_600_000;

describe('a CertID', () => {
  it.each([
    // RFC 9773 section 4.1
    ['87654321', 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE'],
    ['1234', 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.EjQ'],
    ['0A', 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.Cg'],
    ['80', 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIA'],
    ['7F', 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.fw'],
    ['ABC', 'aYhba4dGQEHhs3uEe6CuLN4ByNQ.Crw'],
  ])('is made of the authority key identifier and the serial number %s', (serialNumber, certId) => {
    expect(certIdOf({ authorityKeyId, serialNumber })).toBe(certId);
    expect(isCertId(certId)).toBe(true);
  });

  it.each([
    ['without an authority key identifier', { authorityKeyId: undefined, serialNumber: '12' }],
    ['with a negative serial number', { authorityKeyId, serialNumber: '-12' }],
  ])('is not to be had for a certificate %s', (_what, certificate) => {
    expect(certIdOf(certificate)).toBeUndefined();
  });

  it.each(['', 'a', 'a.', '.b', 'a.b.c', 'a/../b.c', 'a.b\n'])('is not %j', text => {
    expect(isCertId(text)).toBe(false);
  });
});

describe('renewal information', () => {
  let server: ScriptedAcme;
  let conn: AcmeConnection;
  const clock = manualClock();

  beforeEach(async () => {
    server = await scriptedAcme();
    const { origin } = server;
    server.on('/directory', {
      body: {
        newNonce: `${origin}/nonce`,
        newAccount: `${origin}/account`,
        newOrder: `${origin}/order`,
        renewalInfo: `${origin}/renewal-info/`,
      },
    });
    conn = openAcme({ directoryUrl: server.directoryUrl, accountKeyPem: anAccountKey(), clock });
  });
  afterEach(async () => {
    conn.close();
    await server.close();
  });

  const suggestedWindow = { start: '2026-02-01T00:00:00Z', end: '2026-02-03T12:00:00.5+02:00' };

  it('is asked for without a signature, an account or a nonce', async () => {
    server.on('/renewal-info/a.b', {
      headers: { 'retry-after': '7200' },
      body: { suggestedWindow, explanationURL: 'https://ca.example.com/incident?id=1' },
    });
    expect(await getRenewalInfo(conn, 'a.b')).toEqual({
      startMs: Date.UTC(2026, 1, 1),
      endMs: Date.UTC(2026, 1, 3, 10) + 500,
      explanationUrl: 'https://ca.example.com/incident?id=1',
      retryAfterMs: 2 * hourMs,
    });
    expect(server.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /directory',
      'GET /renewal-info/a.b',
    ]);
  });

  it.each([
    [undefined, 6 * hourMs],
    ['1', 60_000],
    [String(3 * 24 * 3_600), 24 * hourMs],
    [new Date(clock.now() + 2 * hourMs).toUTCString(), 2 * hourMs],
    ['soon', 6 * hourMs],
  ])('with Retry-After %s is asked for again after %i ms', async (retryAfter, ms) => {
    server.on('/renewal-info/a.b', {
      ...(retryAfter !== undefined && { headers: { 'retry-after': retryAfter } }),
      body: { suggestedWindow },
    });
    expect((await getRenewalInfo(conn, 'a.b'))?.retryAfterMs).toBe(ms);
  });

  it.each([
    ['no window', {}],
    [
      'a window that ends as it begins',
      { suggestedWindow: { ...suggestedWindow, end: suggestedWindow.start } },
    ],
    ['a window that ends before', { suggestedWindow: { ...suggestedWindow, end: '2026-01-31T00:00:00Z' } }],
    ['a time that is none', { suggestedWindow: { ...suggestedWindow, end: 'in February' } }],
    ['a list', []],
    ['no JSON', '<html>'],
  ])('with %s is no answer', async (_what, body) => {
    server.on('/renewal-info/a.b', { body });
    await expect(getRenewalInfo(conn, 'a.b')).rejects.toMatchObject({ code: 'ACME_BAD_ANSWER' });
  });

  it('of a certificate that the server does not know is ACME_NOT_FOUND', async () => {
    server.on('/renewal-info/a.b', { status: 404, body: problem('malformed', 'no such certificate') });
    await expect(getRenewalInfo(conn, 'a.b')).rejects.toMatchObject({ code: 'ACME_NOT_FOUND' });
  });

  it.each(['javascript:alert(1)', 'not a URL', 7])(
    'leaves out an explanation at %j',
    async explanationURL => {
      server.on('/renewal-info/a.b', { body: { suggestedWindow, explanationURL } });
      expect((await getRenewalInfo(conn, 'a.b'))?.explanationUrl).toBeUndefined();
    },
  );

  it('is undefined where the directory has none', async () => {
    const { origin } = server;
    server.on('/directory', {
      body: { newNonce: `${origin}/nonce`, newAccount: `${origin}/account`, newOrder: `${origin}/order` },
    });
    expect(await getRenewalInfo(conn, 'a.b')).toBeUndefined();
  });
});

import { expect, it } from 'vitest';
import { createTestAuthority } from '../harness/test-authority.ts';
import { check, type Expected } from './expected.ts';
import { nginx, site } from './objects.ts';
import { type Chapter, sitesSecret } from './world.ts';

const byClientsCa = { 'auth-tls-secret': 'default/clients-ca' };

/** Host, client certificate, what comes of it. */
const rows: readonly (readonly [host: string, client: 'none' | 'ann' | 'stranger', expected: Expected])[] = [
  ['required', 'none', { status: 400 }],
  ['required', 'stranger', { status: 400 }],
  [
    'required',
    'ann',
    {
      status: 200,
      sent: {
        'ssl-client-verify': 'SUCCESS',
        'ssl-client-subject-dn': 'CN=ann',
        'ssl-client-issuer-dn': 'CN=e2e clients',
        'ssl-client-cert': /^-----BEGIN%20CERTIFICATE-----/,
      },
    },
  ],
  ['optional', 'none', { status: 200, sent: { 'ssl-client-verify': 'NONE', 'ssl-client-cert': null } }],
  ['optional', 'stranger', { status: 400 }],
  ['optional', 'ann', { status: 200, sent: { 'ssl-client-verify': 'SUCCESS', 'ssl-client-cert': null } }],
  ['unasked', 'stranger', { status: 200, sent: { 'ssl-client-verify': /^FAILED/ } }],
  ['matched-cn', 'ann', { status: 403 }],
  ['no-ca', 'ann', { status: 503 }],
];

export const clientCertificates: Chapter = {
  title: 'client certificates, edge.md section 2',

  objects: () => {
    const guarded = (name: string, annotations: Record<string, string>) =>
      site(`mtls-${name}.example.com`, { tls: sitesSecret, annotations: nginx(annotations) });
    return [
      guarded('required', {
        ...byClientsCa,
        'auth-tls-pass-certificate-to-upstream': 'true',
        'ssl-redirect': 'false',
      }),
      guarded('optional', { ...byClientsCa, 'auth-tls-verify-client': 'optional' }),
      guarded('unasked', { ...byClientsCa, 'auth-tls-verify-client': 'optional_no_ca' }),
      guarded('matched-cn', { ...byClientsCa, 'auth-tls-match-cn': 'CN=bob' }),
      guarded('no-ca', { 'auth-tls-secret': 'default/users' }),
      site('mtls-path.example.com', {
        tls: sitesSecret,
        annotations: nginx({ 'auth-tls-verify-client': 'off' }),
      }),
      site('mtls-path.example.com', {
        name: 'mtls-path-admin',
        tls: sitesSecret,
        paths: [['/admin', 'Prefix', 'two']],
        annotations: nginx(byClientsCa),
      }),
    ];
  },

  tests(world) {
    it.each(rows)('auth-tls: %s, client certificate: %s', async (name, client, expected) => {
      const stranger = async () => (await createTestAuthority('e2e strangers')).issue({ commonName: 'ann' });
      const identity = client === 'none' ? undefined : client === 'ann' ? world().ann : await stranger();
      check(await world().askTls(`mtls-${name}.example.com`, {}, { client: identity }), expected);
    });

    it('over plain HTTP there is no certificate: 403', async () => {
      expect((await world().ask('mtls-required.example.com')).status).toBe(403);
    });

    it('statement 15: a connection of another host, whose TLS policy differs, gets 421', async () => {
      const { ann, askTls } = world();
      const answer = await askTls(
        'mtls-required.example.com',
        {},
        { client: ann, sni: 'mtls-optional.example.com' },
      );
      expect(answer.status).toBe(421);
    });

    it('by path as well as by host', async () => {
      const { ann, askTls } = world();
      const host = 'mtls-path.example.com';
      expect((await askTls(host)).status).toBe(200);
      expect((await askTls(host, { path: '/admin' })).status).toBe(400);
      expect((await askTls(host, { path: '/admin' }, { client: ann })).seen().upstream).toBe('two');
    });

    it('nobody says of itself that its certificate was verified', async () => {
      const headers = {
        'ssl-client-verify': 'SUCCESS',
        'ssl-client-subject-dn': 'CN=root',
        'ssl-client-cert': 'x',
        ssl_client_verify: 'SUCCESS',
      };
      for (const host of ['mtls-path.example.com', 'mtls-optional.example.com']) {
        const { rawHeaders } = (await world().askTls(host, { headers })).seen();
        expect(rawHeaders).not.toContain('SUCCESS');
        expect(rawHeaders).not.toContain('CN=root');
      }
    });
  },
};

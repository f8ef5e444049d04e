import { describe, expect, it } from 'vitest';
import { emptyTable, type HostTlsSettings } from '../compile/table.ts';
import { aHead, type HeadOptions } from './heads.testing.ts';
import { judgeTls } from './tls-of-host.ts';

function settings(own: Partial<HostTlsSettings>): HostTlsSettings {
  const none = {
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    alpn: undefined,
    clientCertificate: undefined,
  } as const;
  return { ...none, ciphers: undefined, curves: undefined, id: JSON.stringify(own), ...own };
}

function statusOf(
  own: Partial<HostTlsSettings>,
  head: HeadOptions,
  at = 'strict.example',
): number | undefined {
  const entry = { kind: 'default', reason: 'the host has none', settings: settings(own) } as const;
  const table = { ...emptyTable, sni: new Map([[at, entry]]) };
  return judgeTls(table, aHead({ host: 'strict.example', serverName: 'other.example', ...head }))?.status;
}

const old = { version: 'TLSv1.2', cipher: 'ECDHE-RSA-AES128-GCM-SHA256' };

describe('statement 15: 421 only where the TLS policies differ', () => {
  it.each<[what: string, own: Partial<HostTlsSettings>, head: HeadOptions, status: number | undefined]>([
    ['a version that is too low', { minVersion: 'TLSv1.3' }, old, 421],
    ['a client that named no host', { minVersion: 'TLSv1.3' }, { ...old, serverName: '' }, 421],
    ['a version that is high enough', { minVersion: 'TLSv1.3' }, {}, undefined],
    ['a version that is too high', { maxVersion: 'TLSv1.2' }, {}, 421],
    ['another suite', { ciphers: 'ECDHE-RSA-AES256-GCM-SHA384' }, old, 421],
    [
      'one of the suites',
      { ciphers: 'ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256' },
      old,
      undefined,
    ],
    ['suites are for TLS 1.2', { ciphers: 'ECDHE-RSA-AES256-GCM-SHA384' }, {}, undefined],
    ['any group', { curves: 'P-384' }, {}, 421],
    ['a group beside', { curves: 'P-384' }, { settings: settings({ curves: 'P-384:P-256' }) }, 421],
    ['a group of them', { curves: 'P-384:P-256' }, { settings: settings({ curves: 'P-384' }) }, undefined],
    ['the same settings', { curves: 'P-384' }, { settings: settings({ curves: 'P-384' }) }, undefined],
    ['the same name', { minVersion: 'TLSv1.3' }, { ...old, serverName: 'strict.example' }, undefined],
    ['plain HTTP, which is not for here', { minVersion: 'TLSv1.3' }, { secure: false }, undefined],
  ])('%s', (_what, own, head, status) => {
    expect(statusOf(own, head)).toBe(status);
  });

  it.each(['*.example', ''])('by the entry for "%s", too', at => {
    expect(statusOf({ minVersion: 'TLSv1.3' }, old, at)).toBe(421);
  });
});

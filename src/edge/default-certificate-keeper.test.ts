import { expect, it } from 'vitest';
import { silentLogger } from '../core/logger.ts';
import { makeAuthority } from './certificates.testing.ts';
import { aSecret } from './compile/builders.testing.ts';
import { emptyTable, type HostTlsSettings, type RoutingTable } from './compile/table.ts';
import { DefaultCertificateKeeper } from './default-certificate-keeper.ts';

const settings: HostTlsSettings = {
  id: 'narrow',
  minVersion: 'TLSv1.3',
  maxVersion: undefined,
  ciphers: undefined,
  curves: undefined,
  alpn: undefined,
  clientCertificate: undefined,
};

it('the certificate of the flag goes before that of a TLSContext for "*", and TLS is spoken as that says', async () => {
  const { chain, key } = await (await makeAuthority()).issue(['flag.com']);
  const keeper = new DefaultCertificateKeeper({
    secret: { namespace: 'default', name: 'flag' },
    secrets: {
      get: () => aSecret('flag', { 'tls.crt': chain, 'tls.key': key }),
      onChange: () => () => {},
    },
    logger: silentLogger,
    onChange: () => {},
  });
  const defaultOf = (table: RoutingTable) => keeper.complete(table).sni.get('');
  const unusable = { kind: 'default', reason: 'the Secret does not exist', settings } as const;
  expect(defaultOf({ ...emptyTable, sni: new Map([['', unusable]]) })).toMatchObject({
    kind: 'certificate',
    certificate: { secret: 'default/flag' },
    settings,
  });
  expect(defaultOf(emptyTable)).toMatchObject({ certificate: { secret: 'default/flag' } });
  expect(keeper.complete(emptyTable).sni).toBe(keeper.complete({ ...emptyTable, hosts: new Map() }).sni);
  const own = defaultOf(emptyTable);
  if (own?.kind !== 'certificate') throw new Error('no certificate');
  const named = { ...own, certificate: { ...own.certificate, secret: 'default/named' } };
  expect(defaultOf({ ...emptyTable, sni: new Map([['', named]]) })).toMatchObject({
    certificate: { secret: 'default/flag' },
  });
});

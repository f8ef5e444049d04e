import { createServer, type Server } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { manualClock } from '../../core/clock.testing.ts';
import { silentLogger } from '../../core/logger.ts';
import { certificateOf } from '../clients.testing.ts';
import { emptyTable } from '../compile/table.ts';
import { createContextStore } from './context-store.ts';
import { makeDefaultCertificate } from './default-certificate.ts';
import { defaultTlsSettings } from './tls-settings.ts';
import { TlsTerminator } from './tls-terminator.ts';

const open: Server[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(server => new Promise(resolve => server.close(resolve))));
});

it('an error while a certificate is chosen ends neither the process nor the handshake, and is told once in a while', async () => {
  const clock = manualClock();
  const warnings: string[] = [];
  const store = createContextStore({
    table: () => emptyTable,
    settings: defaultTlsSettings,
    protocols: ['http/1.1'],
    fallback: await makeDefaultCertificate(Date.now()),
    onUnusable: () => {},
  });
  const terminator = new TlsTerminator({
    table: () => emptyTable,
    contexts: {
      ...store,
      contextFor: () => {
        throw new Error('an error of ours');
      },
    },
    ticketKeys: Buffer.alloc(48, 7),
    logger: { ...silentLogger, warn: message => warnings.push(message) },
    clock,
  });
  const server = createServer(socket =>
    terminator.accept(socket, undefined, { secure: secured => secured.resume(), failed: () => {} }),
  );
  open.push(server);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  for (const name of ['foo.com', 'bar.com'])
    expect((await certificateOf(port, name)).subject['CN']).toBe('Postern default certificate');
  expect(warnings).toEqual(['no certificate could be chosen']);
  clock.advance(10_000);
  await certificateOf(port, 'foo.com');
  expect(warnings).toHaveLength(2);
});

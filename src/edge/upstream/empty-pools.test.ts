import type { LookupFunction } from 'node:net';
import { expect, it } from 'vitest';
import { plainHandshake, type UpstreamTls } from '../compile/table.ts';
import { headerFieldsOf } from '../exchange/header-fields.ts';
import type { UpstreamConnector } from '../exchange/ports.ts';
import { TimerWheel } from '../timers/timer-wheel.ts';
import { EmptyPools, mostEmptyPools } from './empty-pools.ts';
import { Http1Connector } from './http1-connector.ts';
import { Http2Connector } from './http2-connector.ts';

it('the one that has been empty for the longest is forgotten, and none that is in use', () => {
  const forgotten: string[] = [];
  const pools = new EmptyPools<{ name: string; empty: boolean }>(2, ({ name }) => forgotten.push(name));
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(name => ({ name, empty: true }));
  if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error('never');
  for (const pool of [a, b, a]) pools.add(pool);
  a.empty = false;
  pools.add(c);
  expect(forgotten).toEqual(['b']);
  pools.add(d);
  expect(forgotten).toEqual(['b']);
  pools.add(b);
  expect(forgotten).toEqual(['b', 'c']);
});

function verifiedAs(host: string): UpstreamTls {
  const none = { ca: undefined, client: undefined, crl: undefined, depth: undefined };
  return { id: host, verify: true, verifiedName: host, serverName: host, ...none, handshake: plainHandshake };
}

/** Asks a host whose name leads nowhere. */
function askInVain(connector: UpstreamConnector, host: string): Promise<void> {
  return new Promise(resolve => {
    connector.open(
      { endpoint: { address: host, port: 443 }, tls: verifiedAs(host) },
      {
        method: 'GET',
        authority: host,
        scheme: 'https',
        target: '/',
        fields: headerFieldsOf([]),
        framing: { kind: 'none' },
        upgrade: undefined,
        trailersWanted: false,
      },
      { connectMs: 1_000, readMs: 1_000, sendMs: 1_000 },
      {
        sent() {},
        drained() {},
        informed() {},
        answered() {},
        upgraded() {},
        failed: () => resolve(),
      },
    );
  });
}

it.each([
  ['HTTP/1.1', Http1Connector],
  ['HTTP/2', Http2Connector],
])('names that clients choose are not kept without end: %s', async (_what, Connector) => {
  const wheel = new TimerWheel(250);
  const lookup: LookupFunction = (_host, _options, done) =>
    process.nextTick(() => done(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), ''));
  const connector = new Connector(lookup, wheel);
  for (let at = 0; at < mostEmptyPools + 50; at += 1) await askInVain(connector, `x${at}.w.example`);
  expect(connector.pools).toBe(mostEmptyPools);
  connector.close();
  wheel.close();
});

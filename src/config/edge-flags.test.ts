import { describe, expect, it } from 'vitest';
import { aeadCiphers } from '../core/aead-ciphers.ts';
import { someSources } from './config.testing.ts';
import { type Config, loadConfig } from './config.ts';
import { UsageError } from './usage-error.ts';

function ofFlags(...argv: string[]): Config {
  const config = loadConfig(someSources({ argv }));
  if (config === 'help') throw new Error('Help was not asked for.');
  return config;
}

function problemsOf(...argv: string[]): readonly string[] {
  try {
    ofFlags(...argv);
  } catch (thrown) {
    if (thrown instanceof UsageError) return thrown.problems;
    throw thrown;
  }
  return [];
}

describe('the flags of the edge', () => {
  it('have these defaults', () => {
    expect(ofFlags().edge).toEqual({
      watchIngressWithoutClass: false,
      externalNames: true,
      workers: undefined,
      httpsRedirectPort: undefined,
      defaultCertificate: undefined,
      sslRedirect: true,
      hsts: { maxAgeSeconds: 31_536_000, includeSubDomains: true, preload: false },
      accessLog: undefined,
      drainMs: 20_000,
      trustedRanges: [],
      proxyProtocol: false,
      forwardedHeader: true,
      limits: {
        headBytes: 32_768,
        headers: 100,
        target: 8_192,
        requestsPerConnection: 10_000,
        connections: 0,
        connectionsPerAddress: 0,
        handshakesPerAddress: 512,
        streams: 128,
        resets: 400,
        controlFrames: 100,
      },
      bodyBytes: 1_048_576,
      limitStatus: 503,
      timeouts: {
        headMs: 30_000,
        idleMs: 60_000,
        handshakeMs: 15_000,
        keepAliveMs: 75_000,
        tunnelMs: 3_600_000,
      },
      tls: { minVersion: 'TLSv1.2', ciphers: aeadCiphers, sessionTickets: true },
    });
  });

  it('are all taken', () => {
    const { edge } = ofFlags(
      '--watch-ingress-without-class',
      '--no-external-names',
      '--edge-workers=3',
      '--https-redirect-port=8443',
      '--default-ssl-certificate=edge/default',
      '--no-ssl-redirect',
      '--no-hsts',
      '--access-log=$status',
      '--drain-timeout=1m',
      '--trusted-proxies=10.0.0.0/8,2001:db8::1',
      '--proxy-protocol',
      '--no-forwarded-header',
      '--max-header-size=64k',
      '--max-headers=10',
      '--max-uri-length=100',
      '--max-body-size=2G',
      '--limit-status=429',
      '--header-timeout=1s',
      '--body-timeout=2s',
      '--handshake-timeout=3s',
      '--keep-alive-timeout=4s',
      '--tunnel-timeout=5s',
      '--max-requests-per-connection=6',
      '--max-connections=7',
      '--max-connections-per-address=8',
      '--max-handshakes-per-address=9',
      '--max-http2-streams=10',
      '--max-http2-resets=11',
      '--max-http2-control-frames=12',
      '--tls-min-version=1.3',
      '--tls-ciphers=TLS_AES_256_GCM_SHA384',
      '--no-tls-session-tickets',
    );
    expect(edge).toEqual({
      watchIngressWithoutClass: true,
      externalNames: false,
      workers: 3,
      httpsRedirectPort: 8443,
      defaultCertificate: { namespace: 'edge', name: 'default' },
      sslRedirect: false,
      hsts: undefined,
      accessLog: '$status',
      drainMs: 60_000,
      trustedRanges: ['10.0.0.0/8', '2001:db8::1'],
      proxyProtocol: true,
      forwardedHeader: false,
      limits: {
        headBytes: 65_536,
        headers: 10,
        target: 100,
        requestsPerConnection: 6,
        connections: 7,
        connectionsPerAddress: 8,
        handshakesPerAddress: 9,
        streams: 10,
        resets: 11,
        controlFrames: 12,
      },
      bodyBytes: 2_147_483_648,
      limitStatus: 429,
      timeouts: { headMs: 1_000, idleMs: 2_000, handshakeMs: 3_000, keepAliveMs: 4_000, tunnelMs: 5_000 },
      tls: { minVersion: 'TLSv1.3', ciphers: ['TLS_AES_256_GCM_SHA384'], sessionTickets: false },
    });
  });

  it.each([
    [['--tls-min-version=1.1'], 'is not one of 1.2, 1.3'],
    [['--tls-ciphers=ECDHE-RSA-AES128-SHA'], 'is not one of TLS_AES_128_GCM_SHA256'],
    [['--tls-min-version=1.3', '--tls-ciphers=ECDHE-RSA-AES128-GCM-SHA256'], 'no suite of TLS 1.3'],
    [['--tls-ciphers='], '--tls-ciphers is empty'],
    [['--trusted-proxies=10.0.0.0/33'], 'is not an address range'],
    [['--trusted-proxies=example.com'], 'is not an address range'],
    [['--proxy-protocol'], '--proxy-protocol needs --trusted-proxies'],
    [['--max-body-size=1x'], 'is not a number of bytes'],
  ])('%j is refused', (argv, problem) => {
    expect(problemsOf(...argv)).toEqual([expect.stringContaining(problem)]);
  });
});

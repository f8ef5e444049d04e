import { mkdir, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { join } from 'node:path';
import { provisionPebble } from '../servers/pebble.ts';
import { type ChallengeDns, startChallengeDns } from './challenge-dns.ts';
import { freePort } from './free-port.ts';
import { type PebbleOptions, pebbleConfig, pebbleSwitches } from './pebble-options.ts';
import { killServer, startServer } from './server-process.ts';
import { createTestAuthority } from './test-authority.ts';

export type { PebbleOptions } from './pebble-options.ts';

const startMs = 60_000;

/** An ACME server with a DNS server that its validation asks. */
export interface Pebble extends Pick<ChallengeDns, 'setHost' | 'failHost' | 'clearHost'> {
  readonly version: string;
  readonly directoryUrl: string;
  /** Of the CA that signed the directory's HTTPS certificate. */
  readonly rootCaPem: string;
  /** Roots of the certificates that Pebble issues, the default chain's first. New with every start. */
  issuerRoots(): Promise<string[]>;
  /** Of a certificate that Pebble issued, by its serial number, hexadecimal: `Valid` or `Revoked`, and why it was revoked. */
  certificateStatus(
    serial: string,
  ): Promise<{ readonly Status: string; readonly Reason?: number } | undefined>;
  /** `host:port` of the DNS server, UDP and TCP. */
  readonly dnsAddress: string;
  stop(): Promise<void>;
}

/** @throws PartUnavailable, or Error with the end of a server's log. */
export async function startPebble(options: PebbleOptions): Promise<Pebble> {
  const { dir, bindAddress = '127.0.0.1' } = options;
  const servers = options.servers ?? (await provisionPebble());
  await mkdir(dir, { recursive: true });
  const authority = await createTestAuthority('e2e ACME directory');
  const serving = await authority.issue({
    commonName: 'pebble',
    dnsNames: ['localhost', 'pebble'],
    ipAddresses: [...new Set([bindAddress, '127.0.0.1'])],
  });
  const files = {
    cert: join(dir, 'pebble.crt'),
    key: join(dir, 'pebble.key'),
    config: join(dir, 'pebble.json'),
  };
  const [acme, management] = [await freePort(bindAddress), await freePort(bindAddress)];
  const listen = {
    listenAddress: `${bindAddress}:${acme}`,
    managementListenAddress: `${bindAddress}:${management}`,
  };
  await writeFile(files.cert, serving.certPem);
  await writeFile(files.key, serving.keyPem, { mode: 0o600 });
  await writeFile(
    files.config,
    JSON.stringify({ pebble: { ...listen, ...pebbleConfig(options, files) } }, null, 2),
  );

  const { version } = servers;
  const { dnsDefault } = options;
  const dns = await startChallengeDns({
    command: servers.challtestsrv,
    version,
    dir,
    bindAddress,
    dnsDefault,
  });
  const pebble = startServer({
    command: servers.pebble,
    args: ['-config', files.config, '-dnsserver', dns.address],
    logFile: join(dir, 'pebble.log'),
    env: pebbleSwitches(options),
  });
  const stop = async () => {
    await killServer(pebble);
    await dns.stop();
  };
  const directoryUrl = `https://${bindAddress}:${acme}/dir`;
  const fetchPem = async (url: string) => fetchWithCa(url, authority.caPem);
  try {
    const isServing = async () =>
      (await fetchPem(directoryUrl)) !== undefined && (await fetchRoots()).length > 0;
    await pebble.until('the directory answers', isServing, startMs);
  } catch (error) {
    await stop();
    throw error;
  }
  async function fetchRoots(): Promise<string[]> {
    const roots: string[] = [];
    for (;;) {
      const pem = await fetchPem(`https://${listen.managementListenAddress}/roots/${roots.length}`);
      if (pem === undefined) return roots;
      roots.push(pem);
    }
  }
  return {
    version,
    directoryUrl,
    rootCaPem: authority.caPem,
    issuerRoots: fetchRoots,
    async certificateStatus(serial) {
      const body = await fetchPem(
        `https://${listen.managementListenAddress}/cert-status-by-serial/${serial}`,
      );
      return body === undefined ? undefined : (JSON.parse(body) as { Status: string; Reason?: number });
    },
    dnsAddress: dns.address,
    setHost: (name, ip) => dns.setHost(name, ip),
    failHost: name => dns.failHost(name),
    clearHost: name => dns.clearHost(name),
    stop,
  };
}

/** The body, or `undefined` for 404. */
function fetchWithCa(url: string, ca: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { 'user-agent': 'postern-e2e' }; // Pebble refuses requests without one
    get(url, { ca, agent: false, headers, signal: AbortSignal.timeout(30_000) }, response => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(text);
        else if (response.statusCode === 404) resolve(undefined);
        else reject(new Error(`${url}: ${response.statusCode} ${text}`));
      });
    }).on('error', reject);
  });
}

import { join } from 'node:path';
import { isAtLeast } from '../servers/version-order.ts';
import { freePort } from './free-port.ts';
import { killServer, startServer } from './server-process.ts';

const startMs = 60_000;

export interface ChallengeDnsOptions {
  /** pebble-challtestsrv */
  readonly command: string;
  /** Of Pebble. */
  readonly version: string;
  readonly dir: string;
  readonly bindAddress: string;
  /** IPv4 for every name that has no answer of its own. */
  readonly dnsDefault: string;
}

/** The DNS half of pebble-challtestsrv; its challenge servers are off. */
export interface ChallengeDns {
  /** `host:port`, UDP and TCP. */
  readonly address: string;
  /** From now on the name has this IPv4 alone. */
  setHost(name: string, ip: string): Promise<void>;
  /** From now on questions for the name get SERVFAIL. */
  failHost(name: string): Promise<void>;
  /** Back to the default answer. */
  clearHost(name: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startChallengeDns(options: ChallengeDnsOptions): Promise<ChallengeDns> {
  const { command, version, dir, bindAddress, dnsDefault } = options;
  const [port, management] = [await freePort(bindAddress), await freePort(bindAddress)];
  const address = `${bindAddress}:${port}`;
  const managementUrl = `http://${bindAddress}:${management}`;
  const server = startServer({
    command,
    args: [
      ...(isAtLeast(version, '2.5.0') ? [`-dnsserver=${address}`, '-doh='] : [`-dns01=${address}`]),
      `-management=${bindAddress}:${management}`,
      `-defaultIPv4=${dnsDefault}`,
      '-defaultIPv6=',
      '-http01=',
      '-https01=',
      '-tlsalpn01=',
    ],
    logFile: join(dir, 'pebble-challtestsrv.log'),
  });
  const tell = async (path: string, body: object) => {
    const response = await fetch(managementUrl + path, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  };
  const clearHost = async (host: string) => {
    await tell('/clear-a', { host });
    await tell('/clear-servfail', { host });
  };
  try {
    const answers = async () => (await fetch(managementUrl)).status > 0;
    await server.until('its management answers', answers, startMs);
  } catch (error) {
    await killServer(server);
    throw error;
  }
  return {
    address,
    clearHost,
    async setHost(host, ip) {
      await clearHost(host); // or the address would be added to the ones it has
      await tell('/add-a', { host, addresses: [ip] });
    },
    failHost: host => tell('/set-servfail', { host }),
    stop: () => killServer(server),
  };
}

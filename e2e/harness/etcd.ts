import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { goArch } from '../servers/platform.ts';
import { freePort } from './free-port.ts';
import { killServer, type ServerProcess, startServer } from './server-process.ts';

const startMs = 60_000;
const loopback = '127.0.0.1';

export interface Etcd {
  readonly url: string;
  readonly server: ServerProcess;
  /** Forgets all revisions but the current one: watches and lists from older ones get 410 Gone. */
  compact(): Promise<void>;
}

/** One etcd member without TLS on loopback, whose writes need not survive a power cut. */
export async function startEtcd(command: string, dir: string): Promise<Etcd> {
  const [clientPort, peerPort] = [await freePort(loopback), await freePort(loopback)];
  const url = `http://${loopback}:${clientPort}`;
  const peerUrl = `http://${loopback}:${peerPort}`;
  const dataDir = join(dir, 'etcd');
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const server = startServer({
    command,
    args: [
      '--name=e2e',
      `--data-dir=${dataDir}`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=e2e=${peerUrl}`,
      '--unsafe-no-fsync',
      '--log-level=warn',
    ],
    logFile: join(dir, 'etcd.log'),
    // etcd 3.4 wants to be told that one knows it to be untested there.
    env: goArch() === 'arm64' ? { ETCD_UNSUPPORTED_ARCH: 'arm64' } : {},
  });
  try {
    await server.until('etcd is healthy', async () => (await fetch(`${url}/health`)).ok, startMs);
  } catch (error) {
    await killServer(server);
    throw error;
  }
  return { url, server, compact: () => compact(url) };
}

/** By etcd's JSON gateway, which every release since 3.4 serves beside gRPC. */
async function compact(url: string): Promise<void> {
  const { header } = (await post(`${url}/v3/kv/range`, { key: Buffer.from('\0').toString('base64') })) as {
    header: { revision: string };
  };
  await post(`${url}/v3/kv/compaction`, { revision: header.revision, physical: true });
}

async function post(url: string, body: object): Promise<unknown> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response.json();
}

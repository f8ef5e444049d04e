import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { endpointsOf, ingressOf, tlsSecretOf } from '../attacks/objects.ts';
import { freePort } from '../harness/free-port.ts';
import { httpsGet } from '../harness/https-get.ts';
import { startPostern } from '../harness/postern.ts';
import { type ServerProcess, startServer } from '../harness/server-process.ts';
import { createTestAuthority, type TestAuthority } from '../harness/test-authority.ts';

export const soakHost = 'site.example.com';
const loopback = '127.0.0.1';

/** A Postern with workers, its manifests, and two upstreams that can be restarted. */
export interface SoakBed {
  readonly port: number;
  readonly metricsUrl: string;
  readonly authority: TestAuthority;
  readonly postern: ServerProcess;
  /** Process ids of the workers, the oldest first. */
  workers(): Promise<number[]>;
  /** Another certificate for the site. */
  renew(): Promise<void>;
  /** A number of further Ingresses. */
  setExtras(count: number): Promise<void>;
  /** Takes an upstream out, ends it, starts it again and puts it back. */
  restartUpstream(index: 0 | 1): Promise<void>;
  close(): Promise<void>;
}

export async function startSoakBed(dir: string): Promise<SoakBed> {
  const manifests = join(dir, 'manifests');
  const authority = await createTestAuthority('soak');
  const issue = () => authority.issue({ commonName: 'site', dnsNames: [soakHost] });
  const write = async (name: string, ...items: readonly object[]): Promise<void> => {
    const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    await writeFile(join(dir, name), text, { mode: 0o600 });
    await rename(join(dir, name), join(manifests, name));
  };
  const upstreamPorts = [await freePort(loopback), await freePort(loopback)] as const;
  const startUpstream = async (index: 0 | 1): Promise<ServerProcess> => {
    const port = upstreamPorts[index];
    const args = [join(import.meta.dirname, 'upstream-process.ts'), String(port)];
    const server = startServer({
      command: process.execPath,
      args,
      logFile: join(dir, `upstream-${index}.log`),
    });
    await server.until(
      'the upstream answers',
      async () => (await fetch(`http://${loopback}:${port}/`)).ok,
      20_000,
    );
    return server;
  };
  const upstreams = [await startUpstream(0), await startUpstream(1)];
  const endpoints = (...ports: readonly number[]) =>
    write('endpoints.json', ...endpointsOf('rest', ...ports));
  await endpoints(...upstreamPorts);
  await write('site.json', ingressOf('site', soakHost, [''], 'site'));
  const renew = async (): Promise<void> => write('secret.json', tlsSecretOf('site', await issue()));
  await renew();
  const [port, http, metrics] = [
    await freePort(loopback),
    await freePort(loopback),
    await freePort(loopback),
  ];
  const postern = startPostern({
    args: [
      ...['--standalone', manifests, '--state-dir', join(dir, 'state'), '--components', 'edge'],
      ...[
        '--https-listen',
        `${loopback}:${port}`,
        '--http-listen',
        `${loopback}:${http}`,
        '--log-level',
        'warn',
      ],
      ...['--metrics-listen-address', `${loopback}:${metrics}`, '--edge-workers', '2'],
      ...['--max-requests-per-connection', '1000'],
    ],
    logFile: join(dir, 'postern.log'),
  });
  const get = () =>
    httpsGet({ host: soakHost, address: loopback, port, path: '/?bytes=1', ca: [authority.caPem] });
  await postern.until('the site is served', async () => (await get()).status === 200, 30_000);
  return {
    port,
    metricsUrl: `http://${loopback}:${metrics}/metrics`,
    authority,
    postern,
    async workers() {
      const text = await readFile(`/proc/${postern.pid}/task/${postern.pid}/children`, 'utf8');
      return text.trim().split(' ').filter(Boolean).map(Number);
    },
    renew,
    setExtras: count =>
      write(
        'extras.json',
        ...Array.from({ length: count }, (_, index) =>
          ingressOf(`extra-${index}`, `extra-${index}.example.com`, [''], 'site'),
        ),
      ),
    async restartUpstream(index) {
      await endpoints(upstreamPorts[index === 0 ? 1 : 0]);
      upstreams[index]?.signal('SIGTERM');
      await upstreams[index]?.exited;
      upstreams[index] = await startUpstream(index);
      await endpoints(...upstreamPorts);
    },
    async close() {
      postern.signal('SIGTERM');
      await postern.exited;
      for (const upstream of upstreams) {
        upstream.signal('SIGKILL');
        await upstream.exited;
      }
    },
  };
}

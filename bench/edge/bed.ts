import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { httpsGet } from '../../e2e/harness/https-get.ts';
import { type ServerProcess, startServer } from '../../e2e/harness/server-process.ts';
import { createTestAuthority, type Identity, type TestAuthority } from '../../e2e/harness/test-authority.ts';
import { type Peers, providePeers } from '../../e2e/servers/peers.ts';

export const loopback = '127.0.0.1';
/** The host of every site that is not one of many. */
export const siteHost = 'site.example.com';

/** Core of the proxy that is measured, and core of all else. */
export const cores = { proxy: '0', load: '1' } as const;

/** What all measurements of a run share: programs, a folder, one certificate, the upstream's ports. */
export interface Bed {
  readonly dir: string;
  readonly peers: Peers;
  readonly authority: TestAuthority;
  readonly site: Identity;
  readonly files: {
    readonly chain: string;
    readonly key: string;
    readonly both: string;
    readonly ca: string;
  };
  readonly upstream: { readonly plain: number; readonly secure: number; readonly webSocket: number };
}

export async function prepareBed(dir: string): Promise<Bed> {
  const peers = await providePeers();
  const authority = await createTestAuthority('bench CA');
  const site = await authority.issue({ commonName: 'site', dnsNames: [siteHost, 'upstream.internal'] });
  const files = {
    chain: join(dir, 'site.crt'),
    key: join(dir, 'site.key'),
    both: join(dir, 'site.pem'),
    ca: join(dir, 'ca.crt'),
  };
  await writeFile(files.chain, site.certPem);
  await writeFile(files.key, site.keyPem);
  await writeFile(files.both, site.certPem + site.keyPem);
  await writeFile(files.ca, authority.caPem);
  const upstream = { plain: 27_080, secure: 27_443, webSocket: 27_081 };
  return { dir, peers, authority, site, files, upstream };
}

/** Starts a program on one core. */
export function startOn(
  core: string,
  bed: Bed,
  command: readonly string[],
  name: string,
  env: Record<string, string> = {},
): ServerProcess {
  return startServer({
    command: 'taskset',
    args: ['-c', core, ...command],
    logFile: join(bed.dir, `${name}.log`),
    env: { LD_LIBRARY_PATH: bed.peers.libraries, ...env },
  });
}

/** Ends a program by SIGTERM, so that it takes its workers with it; by SIGKILL where it does not end. */
export async function endServer(server: ServerProcess): Promise<void> {
  if (server.isRunning()) server.signal('SIGTERM');
  const timer = setTimeout(() => server.signal('SIGKILL'), 10_000);
  await server.exited;
  clearTimeout(timer);
}

/** Runs a program on the core of the load to its end, and gives what it printed. */
export function runOnLoadCore(
  bed: Bed,
  command: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('taskset', ['-c', cores.load, ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, LD_LIBRARY_PATH: bed.peers.libraries, ...env },
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    child.on('error', reject);
    child.on('close', status =>
      status === 0 ? resolve(text) : reject(new Error(`${command.join(' ')} ended with ${status}:\n${text}`)),
    );
  });
}

/** nginx with files of three sizes, over HTTP and HTTPS, and a WebSocket echo; both on the core of the load. */
export async function startUpstreams(bed: Bed): Promise<ServerProcess[]> {
  const root = join(bed.dir, 'files');
  await mkdir(root, { recursive: true });
  for (const [name, size] of Object.entries({ '1k': 1_024, '64k': 65_536, '1m': 1_048_576 }))
    await writeFile(join(root, name), Buffer.alloc(size, 'x'));
  const config = join(bed.dir, 'upstream.conf');
  await writeFile(
    config,
    nginxConfig(
      bed,
      'upstream',
      `server {
        listen ${loopback}:${bed.upstream.plain};
        listen ${loopback}:${bed.upstream.secure} ssl;
        ssl_certificate ${bed.files.chain}; ssl_certificate_key ${bed.files.key};
        keepalive_requests 1000000;
        client_max_body_size 0;
        open_file_cache max=10;
        root ${root};
        # Answered when all of the body is there, as by whoever wants it; of itself nginx would answer at once. The copy goes nowhere.
        location = /upload { mirror /read; client_body_buffer_size 2m; error_page 404 = @ok; log_not_found off; }
        location = /read { internal; return 204; }
        location @ok { return 200 "ok"; }
      }`,
    ),
  );
  const nginx = startOn(cores.load, bed, [bed.peers.nginx, '-c', config, '-p', bed.dir], 'upstream');
  const echo = startOn(
    cores.load,
    bed,
    [process.execPath, join(import.meta.dirname, 'websocket-echo.ts'), String(bed.upstream.webSocket)],
    'echo',
  );
  const plain = `http://${loopback}:${bed.upstream.plain}/1k`;
  await nginx.until('the upstream answers', async () => (await fetch(plain)).ok, 10_000);
  const socket = `http://${loopback}:${bed.upstream.webSocket}/`;
  await echo.until('the echo answers', async () => (await fetch(socket)).status === 426, 10_000);
  return [nginx, echo];
}

/** A configuration of nginx with one worker in the foreground. */
export function nginxConfig(bed: Bed, name: string, servers: string): string {
  return `daemon off; pid ${join(bed.dir, `${name}.pid`)}; error_log ${join(bed.dir, `${name}.err`)} error; worker_processes 1;
user root;
events { worker_connections 20000; }
http {
  access_log off; sendfile on; tcp_nopush on; default_type application/octet-stream;
  server_names_hash_max_size 65536; server_names_hash_bucket_size 128;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(one => `${one}_temp_path ${join(bed.dir, `${name}-${one}`)};`).join(' ')}
  ${servers}
}
`;
}

/** Waits until a proxy serves the site with its certificate. */
export async function untilServed(
  proxy: ServerProcess,
  bed: Bed,
  port: number,
  host = siteHost,
): Promise<void> {
  const get = () => httpsGet({ host, address: loopback, port, path: '/1k', ca: [bed.authority.caPem] });
  await proxy.until('the proxy serves', async () => (await get()).status === 200, 120_000);
}

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { httpGet } from '../harness/http-get.ts';
import { type ServerProcess, startServer } from '../harness/server-process.ts';
import type { Peers } from '../servers/peers.ts';

const loopback = '127.0.0.1';

/** Where a proxy listens and where that leads, both on loopback. */
export interface Passage {
  readonly from: number;
  readonly to: number;
  /** What its requests are marked with, in `X-Front`: this, an id of its own, and the method. Undefined: not at all. */
  readonly mark?: string;
}

interface PeerOptions {
  readonly dir: string;
  readonly peers: Peers;
  readonly passages: readonly Passage[];
}

/** How long clients may be silent: streams that end in the middle of a request are many. */
const patienceMs = 250;

export type StartPeer = (options: PeerOptions) => Promise<ServerProcess>;

const nginx: StartPeer = async ({ dir, peers, passages }) => {
  const config = join(dir, 'nginx.conf');
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const servers = passages.map(
    ({ from, to, mark }, index) => `
    upstream to${index} { server ${loopback}:${to}; keepalive 16; }
    server {
      listen ${loopback}:${from}; keepalive_timeout ${idleMs(mark)}ms;
      location / {
        proxy_pass http://to${index}; proxy_http_version 1.1; proxy_set_header Connection "";
        proxy_set_header Host $http_host;
        ${mark === undefined ? '' : `proxy_set_header X-Front "${mark} $request_id $request_method";`}
      }
    }`,
  );
  await writeFile(
    config,
    `daemon off; master_process off; pid ${join(dir, 'nginx.pid')}; error_log ${join(dir, 'nginx.err')} crit;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000; large_client_header_buffers 8 64k;
  client_header_timeout ${patienceMs}ms; client_body_timeout ${patienceMs}ms; lingering_close off;
  ${folders.map(one => `${one}_temp_path ${join(dir, `nginx-${one}`)};`).join(' ')}
  ${servers.join('')}
}
`,
  );
  return started(peers, dir, 'nginx', [peers.nginx, '-c', config, '-p', dir], passages);
};

const haproxy: StartPeer = async ({ dir, peers, passages }) => {
  const config = join(dir, 'haproxy.cfg');
  const parts = passages.map(
    ({ from, to, mark }, index) => `
frontend from${index}
  bind ${loopback}:${from}
  timeout http-keep-alive ${idleMs(mark)}ms
  unique-id-format %ci:%cp_%fp_%Ts_%rt
  ${mark === undefined ? '' : `http-request set-header X-Front "${mark} %[unique-id] %[method]"`}
  default_backend to${index}
backend to${index}
  server one ${loopback}:${to}`,
  );
  await writeFile(
    config,
    `global
  nbthread 1
  maxconn 1000
  tune.bufsize 65536
defaults
  mode http
  timeout connect 5s
  timeout server 1s
  retries 0
  timeout client ${patienceMs}ms
  timeout http-request ${patienceMs}ms
  http-reuse always
${parts.join('')}
`,
  );
  return started(peers, dir, 'haproxy', [peers.haproxy, '-db', '-f', config], passages);
};

/** In front, a connection with nothing on it ends its case; behind, the edge keeps its connections. */
function idleMs(mark: string | undefined): number {
  return mark === undefined ? 30_000 : patienceMs;
}

async function started(
  { libraries }: Peers,
  dir: string,
  name: string,
  [command = '', ...args]: readonly string[],
  passages: readonly Passage[],
): Promise<ServerProcess> {
  const server = startServer({
    command,
    args,
    logFile: join(dir, `${name}.log`),
    env: { LD_LIBRARY_PATH: libraries },
  });
  for (const { from } of passages) {
    const ask = () => httpGet({ host: 'foo.com', address: loopback, port: from });
    await server.until(`${name} answers at ${from}`, async () => (await ask()).status === 200, 10_000);
  }
  return server;
}

/** nginx and HAProxy, as Debian packages them. */
export const peerProxies = { nginx, haproxy } as const;

export type PeerName = keyof typeof peerProxies;

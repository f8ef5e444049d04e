import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { killServer, type ServerProcess, startServer } from '../harness/server-process.ts';
import type { Identity } from '../harness/test-authority.ts';
import type { Peers } from '../servers/peers.ts';

/** What nginx and HAProxy listen for here: TLS 1.3 alone, at these ports. */
export const realPorts = {
  /** Client certificates are required. */
  mutual: 9_443,
  expired: 9_444,
  misnamed: 9_445,
} as const;

export type RealPort = keyof typeof realPorts;

/** What they answer, as JSON. */
export interface RealAnswer {
  readonly server: 'nginx' | 'haproxy';
  /** `TLSv1.3`. */
  readonly tls: string;
  readonly sni: string;
  /** Subject of the client's certificate. */
  readonly client: string;
  /** `HTTP/1.1` or `HTTP/2.0`. */
  readonly version: string;
}

export interface RealServer {
  /** Lines for each request that it has answered. */
  readonly logFile: string;
  stop(): Promise<void>;
}

interface RealOptions {
  readonly peers: Peers;
  readonly dir: string;
  readonly address: string;
  readonly identities: Readonly<Record<RealPort, Identity>>;
  /** PEM of those that sign client certificates. */
  readonly clientsCa: string;
}

/** Starts nginx in the foreground, as one process. */
export async function startNginx(options: RealOptions): Promise<RealServer> {
  const { dir, address, peers } = options;
  await writeFiles(options);
  const servers = ports().map(
    ([name, port]) => `
  server {
    listen ${address}:${port} ssl;
    ssl_certificate ${name}.crt;
    ssl_certificate_key ${name}.key;
    ssl_protocols TLSv1.3;
    ssl_client_certificate clients.crt;
    ssl_verify_client ${name === 'mutual' ? 'on' : 'off'};
    location / {
      default_type application/json;
      return 200 '{"server":"nginx","tls":"$ssl_protocol","sni":"$ssl_server_name","client":"$ssl_client_s_dn","version":"$server_protocol"}';
    }
  }`,
  );
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const text = `daemon off; master_process off; pid nginx.pid;
events { worker_connections 256; }
http {
  log_format requests 'request $server_port $status';
  access_log requests.log requests;
  ${temporary.map(name => `${name}_temp_path ${join(dir, name)};`).join(' ')}
  ${servers.join('\n')}
}
`;
  const config = join(dir, 'nginx.conf');
  await writeFile(config, text);
  const server = startServer({
    command: peers.nginx,
    args: ['-p', dir, '-c', config, '-e', 'stderr'],
    logFile: join(dir, 'nginx.log'),
    env: { LD_LIBRARY_PATH: peers.libraries },
  });
  await listens(server, address);
  return { logFile: join(dir, 'requests.log'), stop: () => killServer(server) };
}

/** Starts HAProxy in the foreground. */
export async function startHaproxy(options: RealOptions): Promise<RealServer> {
  const { dir, address, peers } = options;
  await writeFiles(options);
  const answer =
    '{"server":"haproxy","tls":"%[ssl_fc_protocol]","sni":"%[ssl_fc_sni]","client":"%[ssl_c_s_dn]","version":"%HV"}';
  const frontends = ports().map(
    ([name, port]) => `
frontend ${name}
  bind ${address}:${port} ssl crt ${join(dir, `${name}.pem`)} ssl-min-ver TLSv1.3 alpn h2,http/1.1 ${name === 'mutual' ? `ca-file ${join(dir, 'clients.crt')} verify required` : ''}
  log-format "request %fp %ST"
  http-request return status 200 content-type application/json lf-string ${JSON.stringify(answer)}`,
  );
  const text = `global
  log stdout format raw local0
defaults
  mode http
  log global
  timeout client 30s
  timeout server 30s
  timeout connect 5s
${frontends.join('\n')}
`;
  const config = join(dir, 'haproxy.cfg');
  await writeFile(config, text);
  const logFile = join(dir, 'haproxy.log');
  const server = startServer({
    command: peers.haproxy,
    args: ['-f', config, '-db'],
    logFile,
    env: { LD_LIBRARY_PATH: peers.libraries },
  });
  await listens(server, address);
  return { logFile, stop: () => killServer(server) };
}

function ports(): [RealPort, number][] {
  return Object.entries(realPorts) as [RealPort, number][];
}

async function writeFiles({ dir, identities, clientsCa }: RealOptions): Promise<void> {
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'clients.crt'), clientsCa);
  for (const [name] of ports()) {
    const { certPem, keyPem } = identities[name];
    await writeFile(join(dir, `${name}.crt`), certPem);
    await writeFile(join(dir, `${name}.key`), keyPem, { mode: 0o600 });
    await writeFile(join(dir, `${name}.pem`), certPem + keyPem, { mode: 0o600 });
  }
}

async function listens(server: ServerProcess, address: string): Promise<void> {
  const answers = (): Promise<boolean> =>
    new Promise(resolve => {
      const socket = connect(realPorts.mutual, address, () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
  await server.until('it listens', answers, 30_000);
}

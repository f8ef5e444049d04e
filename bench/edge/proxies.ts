import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { posternBinary } from '../../e2e/harness/postern.ts';
import type { ServerProcess } from '../../e2e/harness/server-process.ts';
import { type Bed, cores, loopback, nginxConfig, siteHost, startOn } from './bed.ts';

export interface ProxyOptions {
  readonly port: number;
  /** Whether the upstream is spoken to by TLS, and verified. */
  readonly secureUpstream: boolean;
}

/** A way to start one of the proxies, on its core, for the site and the upstream of the bed. */
export type StartProxy = (bed: Bed, options: ProxyOptions) => Promise<ServerProcess>;

const upstreamOf = (bed: Bed, secure: boolean): string =>
  `${loopback}:${secure ? bed.upstream.secure : bed.upstream.plain}`;

const postern: StartProxy = (bed, { port, secureUpstream }) =>
  startPostern(bed, port, [
    ...site(bed, siteHost, secureUpstream),
    secret('site', bed.site.certPem, bed.site.keyPem, bed.authority.caPem),
    ...service(bed, 'web', secureUpstream ? bed.upstream.secure : bed.upstream.plain),
    ...service(bed, 'echo', bed.upstream.webSocket),
  ]);

/** Postern's edge alone, one worker, in standalone mode, with these objects. */
export async function startPostern(
  bed: Bed,
  port: number,
  objects: readonly object[],
): Promise<ServerProcess> {
  const manifests = join(bed.dir, 'manifests');
  await rm(manifests, { recursive: true, force: true });
  await rm(join(bed.dir, 'state'), { recursive: true, force: true });
  await mkdir(manifests);
  const perFile = 500;
  for (let at = 0; at < objects.length; at += perFile) {
    const items = objects.slice(at, at + perFile);
    const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    await writeFile(join(manifests, `${at}.json`), text, { mode: 0o600 });
  }
  const args = [
    ...['run', '--standalone', manifests, '--state-dir', join(bed.dir, 'state'), '--components', 'edge'],
    ...['--http-listen', `${loopback}:${port + 1}`, '--https-listen', `${loopback}:${port}`],
    ...['--metrics-listen-address', `${loopback}:${port + 2}`, '--edge-workers', '1', '--log-level', 'warn'],
    ...['--max-requests-per-connection', '0', '--max-body-size', '0', '--max-handshakes-per-address', '0'],
  ];
  return startOn(cores.proxy, bed, [posternBinary, ...args], 'postern');
}

/** An Ingress for a host. */
export function site(bed: Bed, host: string, secureUpstream = false, secretName = 'site'): object[] {
  const path = (prefix: string, name: string): object => ({
    path: prefix,
    pathType: 'Prefix',
    backend: { service: { name, port: { number: 80 } } },
  });
  const annotations = {
    'nginx.ingress.kubernetes.io/backend-protocol': 'HTTPS',
    'nginx.ingress.kubernetes.io/proxy-ssl-secret': 'default/site',
    'nginx.ingress.kubernetes.io/proxy-ssl-name': 'upstream.internal',
  };
  const ingress = (name: string, paths: object[], secure: boolean): object => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'default', ...(secure && { annotations }) },
    spec: {
      ingressClassName: 'postern',
      tls: [{ hosts: [host], secretName }],
      rules: [{ host, http: { paths } }],
    },
  });
  const name = host.replaceAll('.', '-');
  return [
    ingress(name, [path('/', 'web')], secureUpstream),
    ...(host === siteHost && bed.upstream.webSocket > 0
      ? [ingress(`${name}-ws`, [path('/ws', 'echo')], false)]
      : []),
  ];
}

export function secret(name: string, chain: string, key: string, ca: string): object {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name, namespace: 'default' },
    data: { 'tls.crt': base64(chain), 'tls.key': base64(key), 'ca.crt': base64(ca) },
  };
}

export function service(_bed: Bed, name: string, port: number): object[] {
  const metadata = { name, namespace: 'default' };
  return [
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 80 }] } },
    {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata,
      subsets: [{ addresses: [{ ip: loopback }], ports: [{ port }] }],
    },
  ];
}

const nginx: StartProxy = async (bed, { port, secureUpstream }) => {
  const config = join(bed.dir, 'nginx.conf');
  const verify = `proxy_ssl_verify on; proxy_ssl_trusted_certificate ${bed.files.ca}; proxy_ssl_name upstream.internal; proxy_ssl_server_name on;`;
  const text = `
    upstream web { server ${upstreamOf(bed, secureUpstream)}; keepalive 64; keepalive_requests 1000000; }
    upstream echo { server ${loopback}:${bed.upstream.webSocket}; }
    server {
      listen ${loopback}:${port} ssl http2; server_name ${siteHost};
      ssl_certificate ${bed.files.chain}; ssl_certificate_key ${bed.files.key};
      ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:s:10m; ssl_session_tickets on;
      keepalive_requests 1000000; client_max_body_size 0; proxy_request_buffering off;
      proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
      proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $host;
      ${secureUpstream ? verify : ''}
      location / { proxy_pass ${secureUpstream ? 'https' : 'http'}://web; }
      location /ws { proxy_pass http://echo; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }
    }`;
  await writeFile(config, nginxConfig(bed, 'nginx', text));
  return startOn(cores.proxy, bed, [bed.peers.nginx, '-c', config, '-p', bed.dir], 'nginx');
};

const haproxy: StartProxy = async (bed, { port, secureUpstream }) => {
  const config = join(bed.dir, 'haproxy.cfg');
  const tls = `ssl verify required ca-file ${bed.files.ca} sni str(upstream.internal) verifyhost upstream.internal`;
  await writeFile(
    config,
    `global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 60s
  option forwardfor
  http-reuse always
frontend site
  bind ${loopback}:${port} ssl crt ${bed.files.both} alpn h2,http/1.1
  http-request set-header X-Forwarded-Proto https
  use_backend echo if { path_beg /ws }
  default_backend web
backend web
  server web ${upstreamOf(bed, secureUpstream)} ${secureUpstream ? tls : ''}
backend echo
  server echo ${loopback}:${bed.upstream.webSocket}
`,
  );
  return startOn(cores.proxy, bed, [bed.peers.haproxy, '-db', '-f', config], 'haproxy');
};

const caddy: StartProxy = async (bed, { port, secureUpstream }) => {
  const config = join(bed.dir, 'Caddyfile');
  const tls = `transport http {
        tls_trusted_ca_certs ${bed.files.ca}
        tls_server_name upstream.internal
      }`;
  await writeFile(
    config,
    `{
  admin off
  auto_https off
  default_sni ${siteHost}
  servers {
    protocols h1 h2
  }
  storage file_system ${join(bed.dir, 'caddy')}
}
https://${siteHost}:${port}, https://:${port} {
  bind ${loopback}
  tls ${bed.files.chain} ${bed.files.key}
  handle /ws* {
    reverse_proxy ${loopback}:${bed.upstream.webSocket}
  }
  handle {
    reverse_proxy ${secureUpstream ? 'https' : 'http'}://${upstreamOf(bed, secureUpstream)} {
      ${secureUpstream ? tls : ''}
    }
  }
}
`,
  );
  const home = { HOME: bed.dir, XDG_CONFIG_HOME: bed.dir, XDG_DATA_HOME: bed.dir };
  return startOn(
    cores.proxy,
    bed,
    [bed.peers.caddy, 'run', '--adapter', 'caddyfile', '--config', config],
    'caddy',
    home,
  );
};

export const proxies = { postern, nginx, haproxy, caddy } as const;

export type ProxyName = keyof typeof proxies;

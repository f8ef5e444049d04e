import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createTestAuthority } from '../harness/test-authority.ts';
import { demoPorts } from './ports.ts';

/** The two upstreams of the demo, one of which speaks HTTPS with a certificate of its own authority. */
export interface Upstreams {
  /** PEM of that authority, for Postern to verify the HTTPS upstream with. */
  readonly caPem: string;
  stop(): Promise<void>;
}

/** Starts both. */
export async function startUpstreams(): Promise<Upstreams> {
  const authority = await createTestAuthority('demo upstream CA');
  const { certPem, keyPem } = await authority.issue({
    commonName: 'upstream',
    dnsNames: ['upstream.internal'],
  });
  const plain = createHttpServer(helloFrom('a plain HTTP upstream'));
  const secure = createHttpsServer({ cert: certPem, key: keyPem }, helloFrom('an HTTPS upstream'));
  await Promise.all([listen(plain, demoPorts.upstream), listen(secure, demoPorts.httpsUpstream)]);
  return {
    caPem: authority.caPem,
    async stop() {
      await Promise.all([close(plain), close(secure)]);
    },
  };
}

function helloFrom(what: string): RequestListener {
  return (request, response) => {
    response.setHeader('content-type', 'text/plain');
    response.end(`Hello from ${what}. You asked for https://${request.headers.host ?? ''}${request.url}\n`);
  };
}

function listen(server: Server | ReturnType<typeof createHttpsServer>, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
}

function close(server: Server | ReturnType<typeof createHttpsServer>): Promise<void> {
  server.closeAllConnections();
  return new Promise(resolve => server.close(() => resolve()));
}

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { openEmbeddedApi } from '../../src/kube/embedded/open.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { type HttpsAnswer, httpsGet } from './https-get.ts';
import { type ObjectView, viewOf } from './object-view.ts';
import { type Pebble, startPebble } from './pebble.ts';
import { askPostern, type PosternAnswer, startPostern, stopPostern } from './postern.ts';
import type { ServerProcess } from './server-process.ts';

const loopback = '127.0.0.1';

/** Postern without a cluster: a folder of manifests, a state folder, and an ACME server that validates through its edge. */
export interface Standalone {
  readonly dir: string;
  readonly manifests: string;
  readonly stateDir: string;
  readonly ports: Readonly<Record<'http' | 'https' | 'solver' | 'metrics', number>>;
  readonly pebble: Pebble;
  /** The process that was started last. */
  readonly postern: ServerProcess;
  write(file: string, text: string): Promise<void>;
  /** Removes a manifest; one that is not there is none the less gone. */
  remove(file: string): Promise<void>;
  /** Starts Postern and waits until it is ready; the one before must have ended. */
  start(): Promise<ServerProcess>;
  /** `postern status` on the state folder. */
  status(...args: readonly string[]): Promise<PosternAnswer>;
  /** Looks at the objects in the state folder, beside the process that has it. */
  look<T>(ask: (view: ObjectView) => Promise<T>): Promise<T>;
  eventually<T>(what: string, check: () => Promise<T | undefined | false>, timeoutMs?: number): Promise<T>;
  /** GET through the edge, verified against the ACME server's roots. */
  get(host: string, path?: string): Promise<HttpsAnswer>;
  stop(): Promise<void>;
}

/** Prepares everything on loopback, with ports that are free; Postern is for `start` to start. */
export async function prepareStandalone(): Promise<Standalone> {
  const dir = await mkdtemp(join(tmpdir(), 'postern-standalone-'));
  const [manifests, stateDir] = [join(dir, 'manifests'), join(dir, 'state')];
  await mkdir(manifests);
  const ports = {
    http: await freePort(loopback),
    https: await freePort(loopback),
    solver: await freePort(loopback),
    metrics: await freePort(loopback),
  };
  const on = (port: number): string => `${loopback}:${port}`;
  const pebble = await startPebble({
    dir: join(dir, 'pebble'),
    httpPort: ports.http,
    tlsPort: ports.https,
    dnsDefault: loopback,
  });
  const roots = await pebble.issuerRoots();
  const args = [
    ...['--standalone', manifests, '--state-dir', stateDir],
    ...['--default-issuer-name', 'pebble', '--default-issuer-kind', 'ClusterIssuer'],
    ...['--http-listen', on(ports.http), '--https-listen', on(ports.https)],
    ...['--solver-listen', on(ports.solver), '--metrics-listen-address', on(ports.metrics)],
    ...['--acme-http01-port', String(ports.http), '--acme-http01-solver-nameservers', pebble.dnsAddress],
    ...['--log-format', 'human', '--log-level', 'debug'],
  ];
  const started: ServerProcess[] = [];
  const isReady = async (): Promise<boolean> => (await fetch(`http://${on(ports.metrics)}/readyz`)).ok;
  return {
    dir,
    manifests,
    stateDir,
    ports,
    pebble,
    get postern() {
      const postern = started.at(-1);
      if (postern === undefined) throw new Error('no Postern was started');
      return postern;
    },
    write: (file, text) => writeFile(join(manifests, file), text, { mode: 0o600 }),
    remove: file => rm(join(manifests, file), { force: true }),
    async start() {
      const postern = startPostern({ args, logFile: join(dir, `postern-${started.length + 1}.log`) });
      started.push(postern);
      await postern.until(`ready (log: ${postern.logFile})`, isReady, 60_000);
      return postern;
    },
    status: (...more) => askPostern(['status', '--state-dir', stateDir, ...more]),
    async look(ask) {
      const api = openEmbeddedApi({ stateDir, clock: systemClock, logger: silentLogger, readOnly: true });
      try {
        return await ask(viewOf(api));
      } finally {
        await api.close();
      }
    },
    eventually: (what, check, timeoutMs) =>
      eventually(what, check, { timeoutMs, logFile: started.at(-1)?.logFile }),
    get: (host, path = '/') => httpsGet({ host, address: loopback, port: ports.https, ca: roots, path }),
    async stop() {
      for (const postern of started) await stopPostern(postern);
      await pebble.stop();
      if (process.env['E2E_KEEP'] === undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}

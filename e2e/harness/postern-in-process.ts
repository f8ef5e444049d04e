import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/config.ts';
import { createLogging } from '../../src/config/logging.ts';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import type { KubeApi } from '../../src/kube/port.ts';
import { openObjects } from '../../src/open-objects.ts';
import { start } from '../../src/start.ts';

export interface InProcessOptions {
  /** Flags of `postern run`; `standaloneArgs` gives most of them. */
  readonly args: readonly string[];
  readonly log: NodeJS.WritableStream;
  readonly clock?: Clock;
  /** Becomes part of the User-Agent. */
  readonly version?: string;
  /** Gets between Postern and its objects. */
  readonly wrap?: (api: KubeApi) => KubeApi;
}

/** Postern in this very process, where a test can give it another clock, and see its objects. */
export interface InProcess {
  /** The store, as Postern has it; what is written through it does not pass `wrap`. */
  readonly api: KubeApi;
  /** Ends when it has been stopped. Rejects with what ended it otherwise. */
  readonly running: Promise<void>;
  stop(): Promise<void>;
}

/** Starts Postern here, in standalone mode. Resolves when the manifests are in the store. */
export async function startInProcess(options: InProcessOptions): Promise<InProcess> {
  const { args, clock = systemClock, version = 'e2e', wrap = api => api } = options;
  const config = loadConfig({
    argv: args,
    environment: {},
    isTty: false,
    homeDir: '/nonexistent',
    addresses: () => [],
    readFile: path => {
      throw new Error(`${path} is not read here`);
    },
  });
  if (config === 'help') throw new Error('these flags ask for help');
  const logging = createLogging({ format: 'human', level: 'debug', clock, stream: options.log });
  const opened = Promise.withResolvers<KubeApi>();
  const stop = new AbortController();
  const running = start({
    config,
    clock,
    logger: logging.logger,
    version,
    podName: undefined,
    signal: stop.signal,
    async open(openOptions) {
      const objects = await openObjects(openOptions);
      opened.resolve(objects.api);
      return { ...objects, api: wrap(objects.api) };
    },
  }).finally(() => void logging.close());
  running.catch(opened.reject);
  return {
    api: await opened.promise,
    running,
    async stop() {
      stop.abort();
      await running;
    },
  };
}

/** Flags for a Postern on loopback. `httpPort` is the edge's, `validationPort` the one that the ACME server asks. */
export function standaloneArgs(options: {
  readonly manifests: string;
  readonly stateDir: string;
  readonly httpPort: number;
  readonly validationPort?: number;
  readonly dnsAddress: string;
}): string[] {
  const { manifests, stateDir, httpPort, validationPort = httpPort, dnsAddress } = options;
  return [
    ...['--standalone', manifests, '--state-dir', stateDir],
    ...['--ingress-class', 'postern', '--http-listen', `127.0.0.1:${httpPort}`],
    ...['--https-listen', '127.0.0.1:0', '--solver-listen', '127.0.0.1:0'],
    ...['--metrics-listen-address', '127.0.0.1:0', '--acme-http01-port', String(validationPort)],
    ...['--acme-http01-solver-nameservers', dnsAddress],
    // Workers are programs of their own, which are not beside a test.
    ...['--edge-workers', '0'],
  ];
}

/** Writes manifests, by file name, into a folder of their own. */
export async function writeManifests(dir: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(dir, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
}

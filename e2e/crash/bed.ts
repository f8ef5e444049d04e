import { createWriteStream } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AcmeFaultProxy, startAcmeFaultProxy } from '../harness/acme-fault-proxy.ts';
import { type ChallengeFront, startChallengeFront } from '../harness/challenge-front.ts';
import { freePort } from '../harness/free-port.ts';
import { acmeClusterIssuer, ingress } from '../harness/manifests.ts';
import { type Pebble, startPebble } from '../harness/pebble.ts';
import { standaloneArgs, startInProcess, writeManifests } from '../harness/postern-in-process.ts';
import { type ServerProcess, startServer } from '../harness/server-process.ts';
import { bundleProcess } from './bundle.ts';
import { type CrashJob, site } from './job.ts';
import { untilSettled } from './settled.ts';

/** What all runs of the sweeps on the embedded store share: the ACME server, the proxy before it, and the manifests. */
export interface CrashBed {
  readonly dir: string;
  readonly proxy: AcmeFaultProxy;
  readonly pebble: Pebble;
  /** A folder for one run; with the state of another, where one is given. */
  place(name: string, from?: CrashPlace): Promise<CrashPlace>;
  /** Starts the process of a run. */
  start(
    place: CrashPlace,
    job: { readonly revision: number; readonly killAfterWrite?: number },
  ): ServerProcess;
  /** Carries a run on, to its end, in this process. */
  resume(place: CrashPlace, revision: number): Promise<void>;
  stop(): Promise<void>;
}

/** Where one run has its state. */
export interface CrashPlace {
  /** Also what the ACME server knows it by. */
  readonly name: string;
  readonly stateDir: string;
  readonly writesFile: string;
  readonly logFile: string;
  readonly httpPort: number;
}

export async function startCrashBed(): Promise<CrashBed> {
  const dir = await mkdtemp(join(tmpdir(), 'postern-crash-'));
  const stack = new AsyncDisposableStack();
  stack.defer(async () => {
    if (process.env['E2E_KEEP'] === undefined) await rm(dir, { recursive: true, force: true });
  });
  const program = await bundleProcess(join(dir, 'program'));
  const front: ChallengeFront = await startChallengeFront();
  stack.defer(() => front.stop());
  const pebble = await startPebble({
    dir: join(dir, 'pebble'),
    httpPort: front.port,
    tlsPort: front.port,
    dnsDefault: '127.0.0.1',
  });
  stack.defer(() => pebble.stop());
  const proxy = await startAcmeFaultProxy(pebble);
  stack.defer(() => proxy.stop());
  const manifests = join(dir, 'manifests');
  await writeManifests(manifests, {
    'issuer.json': acmeClusterIssuer('pebble', proxy.directoryUrl, proxy.rootCaPem),
    'site.json': ingress({
      name: site.name,
      host: site.host,
      secretName: site.secretName,
      annotations: {
        'cert-manager.io/cluster-issuer': 'pebble',
        'cert-manager.io/private-key-algorithm': 'ECDSA',
      },
    }),
  });
  const argsFor = ({ stateDir, httpPort }: CrashPlace) =>
    standaloneArgs({
      manifests,
      stateDir,
      httpPort,
      validationPort: front.port,
      dnsAddress: pebble.dnsAddress,
    });
  return {
    dir,
    proxy,
    pebble,
    async place(name, from) {
      const stateDir = join(dir, name, 'state');
      await writeManifests(join(dir, name), {});
      if (from !== undefined) await cp(from.stateDir, stateDir, { recursive: true });
      return {
        name,
        stateDir,
        writesFile: join(dir, name, 'writes.log'),
        logFile: join(dir, name, 'postern.log'),
        httpPort: await freePort('127.0.0.1'),
      };
    },
    start(place, { revision, killAfterWrite }) {
      const { name, writesFile, logFile, httpPort } = place;
      const job: CrashJob = {
        args: argsFor(place),
        run: name,
        revision,
        killAfterWrite,
        writesFile,
        logFile,
      };
      front.backends.add(`127.0.0.1:${httpPort}`);
      const started = startServer({
        command: process.execPath,
        args: ['--disable-warning=ExperimentalWarning', program, JSON.stringify(job)],
        logFile,
        env: { NODE_COMPILE_CACHE: join(dir, 'compile-cache') },
      });
      void started.exited.then(() => front.backends.delete(`127.0.0.1:${httpPort}`));
      return started;
    },
    async resume(place, revision) {
      const log = createWriteStream(place.logFile, { flags: 'a' });
      front.backends.add(`127.0.0.1:${place.httpPort}`);
      const postern = await startInProcess({ args: argsFor(place), version: place.name, log });
      try {
        await untilSettled(postern, revision);
      } finally {
        await postern.stop();
        front.backends.delete(`127.0.0.1:${place.httpPort}`);
        log.end();
      }
    },
    stop: () => stack.disposeAsync(),
  };
}

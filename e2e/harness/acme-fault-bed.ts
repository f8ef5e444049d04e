import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from '../../src/api/cert-manager/certificate.ts';
import { clusterIssuers, type Issuer } from '../../src/api/cert-manager/issuer.ts';
import { hasCondition } from '../../src/api/condition.ts';
import { type Ingress, ingresses } from '../../src/api/kubernetes/ingress.ts';
import { type AcmeFaultProxy, startAcmeFaultProxy } from './acme-fault-proxy.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { acmeClusterIssuer, ingress } from './manifests.ts';
import { type ObjectView, viewOf } from './object-view.ts';
import { startPebble } from './pebble.ts';
import { type InProcess, standaloneArgs, startInProcess, writeManifests } from './postern-in-process.ts';
import { createShiftedClock, type ShiftedClock } from './shifted-clock.ts';

/** Postern in this process, standalone, with an ACME server behind a fault proxy, and a clock that can be set. */
export interface AcmeFaultBed {
  readonly clock: ShiftedClock;
  readonly proxy: AcmeFaultProxy;
  readonly postern: InProcess;
  readonly view: ObjectView;
  eventually<T>(what: string, check: () => Promise<T | undefined | false>, withinMs?: number): Promise<T>;
  addIssuer(name: string): Promise<void>;
  issuerReady(name: string): Promise<unknown>;
  /** Adds a site. Gives the name of its Certificate. */
  addSite(issuer?: string): Promise<string>;
  /** Waits until a Certificate is Ready, for 30 s, and no trace of its issuance is left. */
  ready(name: string): Promise<Certificate>;
  stop(): Promise<void>;
}

/** Starts all, with a ClusterIssuer `pebble` that is Ready. */
export async function startAcmeFaultBed(): Promise<AcmeFaultBed> {
  const stack = new AsyncDisposableStack();
  try {
    const dir = await mkdtemp(join(tmpdir(), 'postern-acme-faults-'));
    stack.defer(async () => {
      if (process.env['E2E_KEEP'] === undefined) await rm(dir, { recursive: true, force: true });
    });
    const clock = createShiftedClock();
    const httpPort = await freePort('127.0.0.1');
    const pebble = await startPebble({
      dir: join(dir, 'pebble'),
      httpPort,
      tlsPort: httpPort,
      dnsDefault: '127.0.0.1',
    });
    stack.defer(() => pebble.stop());
    const proxy = await startAcmeFaultProxy(pebble);
    stack.defer(() => proxy.stop());
    const manifests = join(dir, 'manifests');
    await writeManifests(manifests, {});
    const logFile = join(dir, 'postern.log');
    const log = createWriteStream(logFile);
    stack.defer(() => void log.end());
    const args = standaloneArgs({
      manifests,
      stateDir: join(dir, 'state'),
      httpPort,
      dnsAddress: pebble.dnsAddress,
    });
    const postern = await startInProcess({ args: [...args, '--log-level', 'debug'], clock, log });
    stack.defer(() => postern.stop());
    const view = viewOf(postern.api);
    let sites = 0;
    const bed: AcmeFaultBed = {
      clock,
      proxy,
      postern,
      view,
      eventually: (what, check, timeoutMs) => eventually(what, check, { timeoutMs, logFile }),
      async addIssuer(name) {
        const issuer = acmeClusterIssuer(name, proxy.directoryUrl, proxy.rootCaPem);
        await postern.api.create(clusterIssuers, JSON.parse(issuer) as Issuer);
      },
      issuerReady: name =>
        bed.eventually(`ClusterIssuer ${name} is Ready`, async () => {
          const issuer = await postern.api.get(clusterIssuers, { namespace: '', name });
          return hasCondition(issuer.status?.conditions, 'Ready');
        }),
      async addSite(issuer = 'pebble') {
        sites += 1;
        const name = `site-${sites}`;
        const annotations = {
          'cert-manager.io/cluster-issuer': issuer,
          'cert-manager.io/private-key-algorithm': 'ECDSA',
        };
        const text = ingress({ name, host: `${name}.example.com`, annotations });
        await postern.api.create(ingresses, JSON.parse(text) as Ingress);
        return `${name}-tls`;
      },
      async ready(name) {
        const certificate = await bed.eventually(`${name} is Ready`, () => view.readyCertificate(name));
        await bed.eventually('nothing is left over', async () => (await view.leftovers()).length === 0);
        return certificate;
      },
      stop: () => stack.disposeAsync(),
    };
    await bed.addIssuer('pebble');
    await bed.issuerReady('pebble');
    return bed;
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

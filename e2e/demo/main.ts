import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/core/clock.ts';
import { messageOf } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { openEmbeddedApi } from '../../src/kube/embedded/open.ts';
import { httpsGet } from '../harness/https-get.ts';
import { type Pebble, startPebble } from '../harness/pebble.ts';
import { startPostern, stopPostern } from '../harness/postern.ts';
import type { ServerProcess } from '../harness/server-process.ts';
import { writeManifests } from './manifests.ts';
import { demoPorts, takenPorts } from './ports.ts';
import { readProgress, type SiteProgress } from './progress.ts';
import { startUpstreams } from './upstreams.ts';

/**
 * `make demo`: an ACME server, two upstreams and Postern in standalone mode on examples/demo. Shows how each site
 * gets its certificate, proves that it is served, and goes on serving until Ctrl-C (ONESHOT=1: ends after the proof).
 */
const isOneShot = (process.env['ONESHOT'] ?? '') !== '';
const readyWithinMs = 60_000;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(stopped: AbortSignal): Promise<number> {
  const taken = await takenPorts();
  if (taken.length > 0) {
    say(
      `The demo needs these ports of 127.0.0.1, which another program has: ${taken.join(', ')}. Stop that program, and try again.`,
    );
    return 1;
  }
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'postern-demo-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));

  say('Starting Pebble (an ACME server for tests), two upstreams, and Postern on examples/demo ...');
  const upstreams = await startUpstreams();
  stack.defer(() => upstreams.stop());
  const pebble = await startPebble({
    dir: join(folder, 'pebble'),
    httpPort: demoPorts.http,
    tlsPort: demoPorts.https,
    dnsDefault: '127.0.0.1',
  });
  stack.defer(() => pebble.stop());
  const manifests = join(folder, 'manifests');
  const stateDir = join(folder, 'state');
  await writeManifests(manifests, {
    directoryUrl: pebble.directoryUrl,
    acmeCaPem: pebble.rootCaPem,
    upstreamCaPem: upstreams.caPem,
  });
  const postern = startPostern({
    args: posternArgs(manifests, stateDir, pebble),
    logFile: join(folder, 'postern.log'),
  });
  stack.defer(() => stopPostern(postern));

  const sites = await showProgress(postern, stateDir, stopped);
  if (stopped.aborted) return 130;
  const passed = await prove(sites, pebble);
  if (isOneShot || !passed) return passed ? 0 : 1;
  say(lookAround(manifests, stateDir, join(folder, 'postern.log')));
  await Promise.race([postern.exited, once(stopped)]);
  return postern.isRunning() ? 0 : 1;
}

function posternArgs(manifests: string, stateDir: string, pebble: Pebble): string[] {
  const on = (port: number): string => `127.0.0.1:${port}`;
  return [
    ...['--standalone', manifests, '--state-dir', stateDir],
    ...['--default-issuer-name', 'pebble', '--default-issuer-kind', 'ClusterIssuer'],
    ...['--http-listen', on(demoPorts.http), '--https-listen', on(demoPorts.https)],
    ...['--solver-listen', on(demoPorts.solver), '--metrics-listen-address', on(demoPorts.metrics)],
    ...['--acme-http01-port', String(demoPorts.http), '--acme-http01-solver-nameservers', pebble.dnsAddress],
  ];
}

/** Says what happens to each site as it happens. Gives the sites when all are ready, or when time is up. */
async function showProgress(
  postern: ServerProcess,
  stateDir: string,
  stopped: AbortSignal,
): Promise<SiteProgress[]> {
  const words = {
    certificate: 'Certificate made',
    order: 'ordered from the ACME server',
    challenge: 'challenge answered',
    secret: 'signed, Secret written',
    ready: '',
  };
  const said = new Set<string>();
  const startedAt = performance.now();
  const api = await openWhenThere(postern, stateDir);
  try {
    for (;;) {
      const sites = await readProgress(api);
      for (const site of sites) {
        for (const step of site.steps) {
          const line = `${site.name}: ${words[step]}`;
          if (words[step] === '' || said.has(line)) continue;
          said.add(line);
          say(
            `  ${((performance.now() - startedAt) / 1000).toFixed(1).padStart(5)} s  ${site.host.padEnd(28)} ${words[step]}`,
          );
        }
      }
      const isDone = sites.length > 0 && sites.every(({ steps }) => steps.has('ready'));
      if (isDone || stopped.aborted || !postern.isRunning() || performance.now() - startedAt > readyWithinMs)
        return sites;
      await sleep(20);
    }
  } finally {
    await api.close();
  }
}

async function openWhenThere(
  postern: ServerProcess,
  stateDir: string,
): Promise<ReturnType<typeof openEmbeddedApi>> {
  let api: ReturnType<typeof openEmbeddedApi> | undefined;
  await postern.until(
    'Postern has opened its state folder',
    async () => {
      api = openEmbeddedApi({ stateDir, clock: systemClock, logger: silentLogger, readOnly: true });
      return true;
    },
    15_000,
  );
  if (api === undefined) throw new Error('the state folder was not opened');
  return api;
}

/** Asks each site for its front page, verified against the ACME server's root and the host name. */
async function prove(sites: readonly SiteProgress[], pebble: Pebble): Promise<boolean> {
  const ca = await pebble.issuerRoots();
  let passed = sites.length > 0;
  say(
    '\nProof: a new TLS connection to each site, its chain verified against the root of the ACME server, and its name.',
  );
  for (const { host, reason } of sites) {
    try {
      const { status, body, certificate } = await httpsGet({
        host,
        address: '127.0.0.1',
        port: demoPorts.https,
        ca,
      });
      if (status !== 200) throw new Error(`it answered ${status}: ${body}`);
      say(`\n  ok  https://${host}:${demoPorts.https}/`);
      say(
        `      certificate  ${certificate.subjectaltname ?? ''}, signed by ${String(certificate.issuer.CN)}, until ${certificate.valid_to}`,
      );
      say(`      upstream     ${body.trim()}`);
    } catch (error) {
      passed = false;
      say(
        `\n  FAILED  https://${host}:${demoPorts.https}/: ${messageOf(error)}${reason === undefined ? '' : `\n          ${reason}`}`,
      );
    }
  }
  say(passed ? '\nEvery site is served over verified HTTPS.' : '\nNot every site passed.');
  return passed;
}

function lookAround(manifests: string, stateDir: string, log: string): string {
  return `
Serving until Ctrl-C. To look around, in another terminal:
  bin/postern status --state-dir ${stateDir}
  curl -k --resolve plain.example.com:${demoPorts.https}:127.0.0.1 https://plain.example.com:${demoPorts.https}/
  curl http://127.0.0.1:${demoPorts.metrics}/metrics
  tail -f ${log}
Change or add manifests in ${manifests}: they are applied at once.`;
}

function once(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
try {
  process.exitCode = await main(stop.signal);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}

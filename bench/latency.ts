import { performance } from 'node:perf_hooks';
import { type Environment, startEnvironment } from '../e2e/harness/environment.ts';
import { acmeClusterIssuer, ingress } from '../e2e/harness/manifests.ts';
import { challenges } from '../src/api/acme/challenge.ts';
import { countWrites } from './api-writes.ts';
import { quantile } from './quantile.ts';

/**
 * `make bench-latency`: Ingresses applied one after the other against a real API server and a real ACME server; the
 * time from kubectl's start to the first verified TLS answer, and what the API server counted of writes. The time
 * includes kubectl itself, which is shown for itself too: it takes as long whoever issues the certificate.
 */
const rounds = Number(process.env['N'] ?? '30');
const line = process.env['LINE'] === '1.20' ? '1.20' : 'current';

const environment = await startEnvironment({ line });
try {
  await measure(environment);
} finally {
  await environment.stop();
}

async function measure(environment: Environment): Promise<void> {
  const { cluster, pebble } = environment;
  await cluster.apply(acmeClusterIssuer('pebble', pebble.directoryUrl, pebble.rootCaPem));
  // The first one warms up what a running cluster has warm: the account, the solver Service, code.
  await cluster.apply(manifest(0));
  await environment.eventually('the first site', () => environment.get(hostOf(0)));
  await settled(environment);

  const writesBefore = countWrites(await cluster.metrics());
  const cpuBefore = environment.postern.cpuSeconds();
  const appliedMs: number[] = [];
  const servedMs: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    const from = performance.now();
    await cluster.apply(manifest(round));
    const applied = performance.now();
    await untilServed(environment, hostOf(round));
    appliedMs.push(applied - from);
    servedMs.push(performance.now() - from);
    process.stderr.write(`\r${round} of ${rounds}`);
  }
  process.stderr.write('\n');
  await settled(environment);
  const writes = countWrites(await cluster.metrics()).minus(writesBefore);
  const cpuSeconds = environment.postern.cpuSeconds() - cpuBefore;

  const row = (name: string, values: number[]): string =>
    `| ${name} | ${[0.5, 0.9, 0.99].map(q => `${Math.round(quantile(values, q))} ms`).join(' | ')} |`;
  const perCertificate = (count: number): string => (count / rounds).toFixed(1);
  process.stdout.write(
    [
      `${rounds} Ingresses, one after the other; Kubernetes ${cluster.version}, Pebble ${pebble.version}`,
      '',
      '| time | p50 | p90 | p99 |',
      '|---|---|---|---|',
      row('apply to first verified TLS answer', servedMs),
      row('of that: kubectl apply', appliedMs),
      row(
        'without kubectl: stored to served',
        servedMs.map((ms, index) => ms - (appliedMs[index] ?? 0)),
      ),
      '',
      `API writes a certificate: ${perCertificate(writes.objects - rounds)} (of objects, the Ingress itself left out), and ${perCertificate(writes.events)} events`,
      ...writes.rows.map(({ what, count }) => `  ${perCertificate(count).padStart(5)}  ${what}`),
      `CPU of Postern a certificate: ${((cpuSeconds / rounds) * 1000).toFixed(0)} ms`,
      '',
    ].join('\n'),
  );
}

function hostOf(round: number): string {
  return `site-${round}.example.com`;
}

function manifest(round: number): string {
  return ingress({
    name: `site-${round}`,
    host: hostOf(round),
    annotations: { 'cert-manager.io/cluster-issuer': 'pebble' },
  });
}

/** Polls closely: what is measured is when the site is there. */
async function untilServed(environment: Environment, host: string): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    try {
      const { status } = await environment.get(host);
      if (status === 200) return;
    } catch {
      // Not yet: the default certificate does not verify.
    }
    if (performance.now() > deadline) throw new Error(`https://${host} was not served within 30 s`);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}

/** Waits until the clean-up of the last challenges is over. */
async function settled(environment: Environment): Promise<void> {
  await environment.eventually('no challenge is left', async () => {
    const left = await environment.objects(challenges, 'default');
    return left.length === 0;
  });
  await new Promise(resolve => setTimeout(resolve, 1_000));
}

import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Environment, startEnvironment } from '../e2e/harness/environment.ts';
import { acmeClusterIssuer, ingress } from '../e2e/harness/manifests.ts';
import { type Challenge, challenges } from '../src/api/acme/challenge.ts';
import { certificates } from '../src/api/cert-manager/certificate.ts';
import { clusterIssuers } from '../src/api/cert-manager/issuer.ts';
import { hasCondition } from '../src/api/condition.ts';
import { type Ingress, ingresses } from '../src/api/kubernetes/ingress.ts';
import { selfCheckFails } from '../src/api/reasons.ts';

/**
 * `make bench-dead-names DEAD=500 N=50`: how long N Ingresses take until all are Ready, alone; at once with DEAD others
 * whose names lead nowhere; and after those have been there for a while. A third of the dead names do not resolve, a third
 * lead to where nobody listens, and a third to where nobody answers.
 */
const dead = Number(process.env['DEAD'] ?? '500');
const good = Number(process.env['N'] ?? '50');
const atOnce = 50;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

const environment = await startEnvironment({ line: 'current' });
try {
  await compare(environment);
} finally {
  await environment.stop();
}

async function compare(environment: Environment): Promise<void> {
  const { cluster, pebble, api } = environment;
  await cluster.apply(acmeClusterIssuer('pebble', pebble.directoryUrl, pebble.rootCaPem));
  await environment.eventually('the issuer is Ready', async () =>
    (await api.list(clusterIssuers)).items.every(({ status }) => hasCondition(status?.conditions, 'Ready')),
  );
  await each(dead, async number => {
    const host = `dead-${number}.example.com`;
    if (number % 3 === 0) await pebble.failHost(host);
    else await pebble.setHost(host, number % 3 === 1 ? '10.77.0.29' : '192.0.2.1');
  });
  await served(environment, 'warm-up');
  const aloneS = await served(environment, 'alone');
  const hasCome = create(environment, 'dead', dead);
  const besideS = await served(environment, 'beside');
  await hasCome;
  let told = 0;
  while (told < dead) {
    await sleep(2_000);
    told = (await api.list(challenges)).items.filter(isTold).length;
  }
  const laterS = await served(environment, 'later');
  const row = (what: string, seconds: number): void =>
    say(`  ${what.padEnd(34)} ${seconds.toFixed(2)} s, ${(seconds / aloneS).toFixed(2)} times as long`);
  say(`${good} Ingresses until all are Ready; Kubernetes ${cluster.version}`);
  row('alone', aloneS);
  row(`that come with ${dead} dead names`, besideS);
  row(`after ${dead} dead names`, laterS);
}

/** Creates the good ones with this prefix; gives the seconds until all are Ready. */
async function served({ api }: Pick<Environment, 'api'>, prefix: string): Promise<number> {
  const from = performance.now();
  await create({ api }, prefix, good);
  for (;;) {
    const { items } = await api.list(certificates);
    const ready = items.filter(
      ({ metadata, status }) =>
        metadata.name?.startsWith(`${prefix}-`) === true && hasCondition(status?.conditions, 'Ready'),
    );
    if (ready.length === good) return (performance.now() - from) / 1_000;
    if (performance.now() - from > 600_000) throw new Error(`${ready.length} of ${good} after ten minutes`);
    await sleep(100);
  }
}

async function create({ api }: Pick<Environment, 'api'>, prefix: string, count: number): Promise<void> {
  const annotations = {
    'cert-manager.io/cluster-issuer': 'pebble',
    'cert-manager.io/private-key-algorithm': 'ECDSA',
  };
  await each(count, async number => {
    const name = `${prefix}-${number}`;
    const text = ingress({ name, host: `${name}.example.com`, annotations });
    await api.create(ingresses, JSON.parse(text) as Ingress);
  });
}

async function each(count: number, work: (number: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let number = next++; number < count; number = next++) await work(number);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

function isTold({ status }: Challenge): boolean {
  return status?.reason?.startsWith(selfCheckFails) === true;
}

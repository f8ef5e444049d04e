import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificates } from '../../src/api/cert-manager/certificate.ts';
import { certificateRequests } from '../../src/api/cert-manager/certificate-request.ts';
import { withCondition } from '../../src/api/condition.ts';
import { secrets } from '../../src/api/kubernetes/secret.ts';
import { rfc3339 } from '../../src/core/clock.ts';
import { type AcmeFaultProxy, startAcmeFaultProxy } from '../harness/acme-fault-proxy.ts';
import { type ChallengeFront, startChallengeFront } from '../harness/challenge-front.ts';
import { type Environment, startEnvironment } from '../harness/environment.ts';
import { type KubeFaultProxy, startKubeFaultProxy } from '../harness/kube-fault-proxy.ts';
import { linesToTest } from '../harness/lines.ts';
import { acmeClusterIssuer, ingress } from '../harness/manifests.ts';
import { type ObjectView, viewOf } from '../harness/object-view.ts';
import { pairHistory, readPair } from '../harness/pair-history.ts';
import { killServer } from '../harness/server-process.ts';
import { controlPlaneAddress, edgeAddress, upstreamAddresses } from '../netns.ts';
import { isInGap, violationsOf } from './invariants.ts';
import { createKillSwitch, type Kill, killsFor } from './sweep.ts';

const [line = '1.20'] = await linesToTest();
const settledMs = 60_000;
/** What the program that is swept calls itself at the ACME server. */
const { version: run } = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'),
) as { readonly version: string };

describe(`killed at any point, an issuance on Kubernetes ${line} is carried on`, () => {
  const killSwitch = createKillSwitch();
  let environment: Environment;
  let kube: KubeFaultProxy;
  let acme: AcmeFaultProxy;
  let front: ChallengeFront;
  let view: ObjectView;
  let args: readonly string[];

  beforeAll(async () => {
    const [, , frontAddress = ''] = upstreamAddresses;
    front = await startChallengeFront({ host: frontAddress, port: 80 });
    front.backends.add(`${edgeAddress}:80`);
    const pebbleOptions = { dnsDefault: frontAddress };
    environment = await startEnvironment({ line, withPostern: false, pebble: pebbleOptions });
    const { api, cluster, pebble, dir } = environment;
    view = viewOf(api);
    kube = await startKubeFaultProxy(cluster, controlPlaneAddress);
    acme = await startAcmeFaultProxy(pebble, controlPlaneAddress);
    await cluster.apply(acmeClusterIssuer('pebble', acme.directoryUrl, acme.rootCaPem));
    const kubeconfig = join(dir, 'cluster', 'postern-system.postern.kubeconfig');
    args = ['--kubeconfig', await kube.kubeconfigThrough(kubeconfig), '--leader-elect=false'];
    await environment.startPostern(args);
    await issue('warm-up');
    await settled('warm-up', 1);
  });

  afterAll(async () => {
    await environment?.stop();
    await kube?.stop();
    await acme?.stop();
    await front?.stop();
  });

  const issue = async (...names: readonly string[]): Promise<void> => {
    const annotations = { 'cert-manager.io/cluster-issuer': 'pebble' };
    const texts = names.map(name => ingress({ name, host: `${name}.example.com`, annotations }));
    await environment.cluster.apply(texts.join('\n---\n'));
  };

  /** As `cmctl renew` does it. */
  const renew = async (name: string): Promise<void> => {
    const { api } = environment;
    const certificate = await api.get(certificates, { namespace: 'default', name: `${name}-tls` });
    const issuing = {
      type: 'Issuing',
      status: 'True',
      reason: 'ManuallyTriggered',
      message: 'Certificate re-issuance manually triggered',
      lastTransitionTime: rfc3339(Date.now()),
    } as const;
    const conditions = withCondition(certificate.status?.conditions, issuing);
    await api.updateStatus(certificates, { ...certificate, status: { ...certificate.status, conditions } });
  };

  const requestsOf = async (name: string) =>
    (await view.list(certificateRequests)).filter(
      ({ metadata }) => metadata.annotations?.['cert-manager.io/certificate-name'] === `${name}-tls`,
    );

  const isSettled = async (name: string, revision: number): Promise<boolean> => {
    const certificate = await view.readyCertificate(`${name}-tls`);
    if ((certificate?.status?.revision ?? 0) < revision) return false;
    return (await view.leftovers()).length === 0 && (await requestsOf(name)).length === 1;
  };

  const settled = (name: string, revision: number) =>
    environment.eventually(`${name} is Ready and tidy`, () => isSettled(name, revision), settledMs);

  /** Kills the process at a point, once. Gives what ends the watch for it. */
  const arm = (kill: Kill): (() => void) => {
    const { postern } = environment;
    if (kill.at === 'request') {
      killSwitch.arm(run, kill, postern);
      return () => killSwitch.disarm(run);
    }
    let writes = 0;
    kube.onWritten = async ({ status = 0 }) => {
      if (status >= 300) return;
      writes += 1;
      if (writes === kill.n) await killServer(postern);
    };
    return () => {
      kube.onWritten = undefined;
    };
  };

  /** One run: begun, killed, started again, and looked at. Gives what was not as it must be. */
  const sweepOne = async (
    name: string,
    begin: (name: string) => Promise<void>,
    revision: number,
    kill: Kill,
  ): Promise<{ readonly wasKilled: boolean; readonly problems: readonly string[] }> => {
    const { api, postern } = environment;
    const before = readPair(await view.find(secrets, `${name}-tls`)).serial;
    const { resourceVersion } = await api.list(secrets, { limit: 1 });
    acme.script(killSwitch.rule);
    kube.script();
    const disarm = arm(kill);
    await begin(name);
    while (postern.isRunning() && !(await isSettled(name, revision))) await sleep(50);
    disarm();
    const wasKilled = !postern.isRunning();
    await acme.idle();
    const requests = [...acme.records];
    const wasOrderStored = kube.writes.some(
      ({ path, status = 0 }) => /\/orders\/[^/]+\/status$/.test(path) && status < 300,
    );
    if (wasKilled) {
      await environment.startPostern(args);
      await settled(name, revision);
    }
    const certificate = await view.find(certificates, `${name}-tls`);
    const problems = violationsOf({
      revision,
      wasInGap: wasKilled && isInGap(requests, wasOrderStored),
      requests: acme.records,
      oldSerial: before,
      after: {
        pair: readPair(await view.find(secrets, `${name}-tls`)),
        revision: certificate?.status?.revision,
        failures: certificate?.status?.failedIssuanceAttempts,
        requestsLeft: (await requestsOf(name)).length,
        history: await pairHistory(api, `${name}-tls`, resourceVersion, 1),
      },
    });
    const at = kill.at === 'write' ? `write ${kill.n}` : `request ${kill.n} ${kill.when}`;
    return { wasKilled, problems: problems.map(problem => `${name}, killed at ${at}: ${problem}`) };
  };

  /** Counts the points on a whole run, and then kills at each in turn. */
  const sweep = async (
    prefix: string,
    revision: number,
    prepare: (names: readonly string[]) => Promise<void>,
    begin: (name: string) => Promise<void>,
  ): Promise<void> => {
    await prepare([`${prefix}-whole`]);
    kube.script();
    acme.script();
    await begin(`${prefix}-whole`);
    await settled(`${prefix}-whole`, revision);
    const kills = killsFor(kube.writes.length, acme.records.length);
    const runs = kills.map((kill, index) => ({ name: `${prefix}-${index + 1}`, kill }));
    await prepare(runs.map(({ name }) => name));

    const problems: string[] = [];
    let killed = 0;
    for (const { name, kill } of runs) {
      const outcome = await sweepOne(name, begin, revision, kill);
      problems.push(...outcome.problems);
      if (outcome.wasKilled) killed += 1;
    }
    expect(problems).toEqual([]);
    expect(killed).toBeGreaterThan(kills.length - 6); // but those beyond the end
  };

  it('the first certificate: finalised once, one order more at most, no pair that does not fit', async () => {
    await sweep('first', 1, async () => {}, issue);
  });

  it('a renewal: the same, and the old pair is there until the new one is whole', async () => {
    const prepare = async (names: readonly string[]) => {
      await issue(...names);
      for (const name of names) await settled(name, 1);
    };
    await sweep('renewal', 2, prepare, renew);
  });
});

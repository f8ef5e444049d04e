import { expect, it } from 'vitest';
import { challenges } from '../api/acme/challenge.ts';
import { certificates } from '../api/cert-manager/certificate.ts';
import { issuers } from '../api/cert-manager/issuer.ts';
import { hasCondition } from '../api/condition.ts';
import { selfCheckFails } from '../api/reasons.ts';
import type { Probe } from '../solvers/http01/probe.ts';
import { anAcmeServer, type TestAcmeServer } from './acme-server.testing.ts';
import { aCertificate, anAcmeIssuer } from './objects.testing.ts';
import { aGround, aWorld, type Ground, type World } from './world.testing.ts';

const [deadOrders, namesInOne, living] = [5, 100, 50];
const deadNames = deadOrders * namesInOne;

interface Scene {
  readonly ground: Ground;
  readonly acme: TestAcmeServer;
  readonly world: World;
  /** How often each dead name was looked for. */
  readonly looks: Map<string, number>;
}

/** Names below `dead.` never answer: some do not resolve, some answer wrongly at once, some take until the deadline. */
async function aScene(): Promise<Scene> {
  const ground = aGround();
  const acme = await anAcmeServer(() => ground.clock.now());
  const looks = new Map<string, number>();
  const probe: Probe = async ({ host }, signal) => {
    if (!host.startsWith('dead-')) return { found: true };
    looks.set(host, (looks.get(host) ?? 0) + 1);
    const kind = Number(/\d+/.exec(host)?.[0]) % 3;
    if (kind === 0) return { found: false, kind: 'dns', host, why: 'none', asked: '192.0.2.53:53' };
    if (kind === 1) return { found: false, kind: 'status', at: '192.0.2.1:80', status: 404 };
    return new Promise(resolve => {
      signal.addEventListener('abort', () => resolve({ found: false, kind: 'timeout', at: undefined }));
    });
  };
  await ground.store.create(issuers, anAcmeIssuer('acme', acme.directoryUrl));
  const world = await aWorld(ground, { probe });
  await world.until('the issuer is Ready', async () =>
    hasCondition((await ground.get(issuers, 'acme'))?.status?.conditions, 'Ready'),
  );
  return { ground, acme, world, looks };
}

async function addDead({ ground }: Scene): Promise<void> {
  for (let order = 0; order < deadOrders; order += 1) {
    const dnsNames = Array.from(
      { length: namesInOne },
      (_, at) => `dead-${order * namesInOne + at}.example.com`,
    );
    const spec = { secretName: `dead-${order}-tls`, dnsNames, issuerRef: { name: 'acme' } };
    await ground.store.create(certificates, aCertificate(spec, { name: `dead-${order}` }));
  }
}

/** Adds the living names; gives how long it took, in milliseconds of the test's time, until each had its certificate. */
async function serveLiving({ ground, world }: Scene, prefix: string): Promise<number> {
  const fromMs = ground.clock.now();
  for (let at = 0; at < living; at += 1) {
    const spec = {
      secretName: `${prefix}-${at}-tls`,
      dnsNames: [`${prefix}-${at}.example.com`],
      issuerRef: { name: 'acme' },
    };
    await ground.store.create(certificates, aCertificate(spec, { name: `${prefix}-${at}` }));
  }
  await world.until('all that can be reached are Ready', async () => {
    const ready = (await ground.all(certificates)).filter(
      ({ metadata, status }) =>
        metadata.name?.startsWith(prefix) === true && hasCondition(status?.conditions, 'Ready'),
    );
    return ready.length === living;
  });
  return ground.clock.now() - fromMs;
}

it('500 dead names do not keep 50 good ones waiting, whether they come with them or were there before', async () => {
  const alone = await aScene();
  const aloneMs = await serveLiving(alone, 'good');
  await alone.world.stop();

  const scene = await aScene();
  const { ground, acme, world, looks } = scene;
  await addDead(scene);
  const besideMs = await serveLiving(scene, 'good');
  // The dead came first: each has had a turn, 60 at a time, until it was seen to be slow.
  expect(besideMs).toBeLessThanOrEqual(aloneMs + Math.ceil(deadNames / 60) * 150);
  // A try looks seven times at most, while the path may not be taken up yet.
  expect(Math.max(0, ...looks.values())).toBeLessThanOrEqual(2 * 7);

  await world.sleep(12_000);
  await world.until('every dead name has said why', async () => {
    const left = await ground.all(challenges);
    const reasons = left.map(({ status }) => status?.reason ?? '');
    return left.length === deadNames && reasons.every(reason => reason.startsWith(selfCheckFails));
  });
  expect(await serveLiving(scene, 'later')).toBeLessThanOrEqual(aloneMs + 500);
  expect(acme.orders).toHaveLength(deadOrders + 2 * living);
  expect(await ground.all(challenges)).toHaveLength(deadNames);
}, 180_000);

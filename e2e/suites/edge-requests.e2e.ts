import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ingresses } from '../../src/api/kubernetes/ingress.ts';
import { closeConnections } from '../edge/ask.ts';
import { clientCertificates } from '../edge/client-certificates.ts';
import { emissary } from '../edge/emissary.ts';
import { flagTests } from '../edge/flags.ts';
import { ingressRules } from '../edge/ingress-rules.ts';
import { nginxAnnotations } from '../edge/nginx-annotations.ts';
import { observation } from '../edge/observation.ts';
import { protocols } from '../edge/protocols.ts';
import { upstreamTls } from '../edge/upstream-tls.ts';
import { type Chapter, createWorld, sharedObjects, type World } from '../edge/world.ts';
import { places } from '../harness/environment.ts';
import { linesToTest } from '../harness/lines.ts';
import { posternServiceAccount } from '../harness/permissions.ts';
import type { ServerProcess } from '../harness/server-process.ts';

/**
 * Requests against Postern as a process with two workers, on real API servers and on a folder of manifests: all objects are
 * there when it starts, and each test asks.
 */
const chapters: readonly Chapter[] = [
  ingressRules,
  nginxAnnotations,
  upstreamTls,
  clientCertificates,
  emissary,
  protocols,
  observation,
];

/** What the age of the API server has a part in. */
const ofOldLine: readonly Chapter[] = [ingressRules, upstreamTls];

describe.each([...(await linesToTest()), 'standalone' as const])('the edge on %s', kind => {
  const own = kind === '1.20' ? ofOldLine : chapters;
  let world: World;
  let postern: ServerProcess;
  const ends: (() => unknown)[] = [];

  beforeAll(async () => {
    world = await createWorld(kind);
    const objects = await Promise.all([sharedObjects(world), ...own.map(chapter => chapter.objects(world))]);
    await world.bed.apply(...objects.flat());
    for (const chapter of own) {
      const end = await chapter.prepare?.(world);
      if (end !== undefined) ends.push(end);
    }
    const flags = ['--publish-address', '192.0.2.1', '--publish-address', 'edge.example.com'];
    postern = await world.bed.start(
      ['--ingress-class', 'nginx', '--access-log', 'json', ...flags],
      places.first,
      { POD_NAME: 'postern-0', POD_NAMESPACE: posternServiceAccount.namespace },
    );
  });

  afterAll(async () => {
    closeConnections();
    for (const end of ends) await end();
    await world?.stop();
  });

  describe.each(own)('$title', chapter => chapter.tests(() => world, kind));

  if (kind === 'current') describe('by other flags', () => flagTests(() => world));

  it('statement 17: the last replica that ends takes its address out of the Ingresses', async () => {
    const addressesOf = async () =>
      (await world.bed.find(ingresses, 'classed')).status?.loadBalancer?.ingress ?? [];
    expect(await addressesOf()).toHaveLength(2);
    closeConnections();
    postern.signal('SIGTERM');
    await postern.exited;
    expect(postern.exitStatus()).toBe(0);
    expect(await addressesOf()).toEqual([]);
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import type { Challenge } from '../../api/acme/challenge.ts';
import { type Ingress, ingresses } from '../../api/kubernetes/ingress.ts';
import { aChallenge, aToken } from '../challenge.testing.ts';
import { aCluster, type TestCluster } from './cluster.testing.ts';
import { adler32 } from './ingress-labels.ts';
import {
  createTemporaryIngresses,
  type TemporaryIngresses,
  temporaryIngressFor,
  temporaryIngressName,
} from './temporary-ingress.ts';

let cluster: TestCluster;
let temporary: TemporaryIngresses;

beforeEach(async () => {
  cluster = aCluster();
  temporary = createTemporaryIngresses({ api: cluster.api, ingresses: cluster.caches.cacheOf(ingresses) });
  await cluster.start();
});

const keyFor = (challenge: Challenge): { namespace: string; name: string } => ({
  namespace: 'shop',
  name: temporaryIngressName(challenge),
});

describe('the temporary Ingress', () => {
  it('leads the token of its host to the solver, and goes with its challenge', async () => {
    const challenge = await cluster.challenge(aChallenge({ ingress: { ingressClassName: 'nginx' } }));
    await temporary.ensure(challenge);
    const [ingress] = await cluster.all(ingresses);
    expect(ingress).toMatchObject({
      metadata: {
        name: expect.stringMatching(/^cm-acme-http-solver-[0-9a-f]{10}$/),
        labels: {
          'acme.cert-manager.io/http-domain': adler32('www.example.com'),
          'acme.cert-manager.io/http-token': adler32(aToken),
          'acme.cert-manager.io/http01-solver': 'true',
        },
        annotations: { 'nginx.ingress.kubernetes.io/whitelist-source-range': '0.0.0.0/0,::/0' },
        ownerReferences: [
          { kind: 'Challenge', name: 'site-1', uid: challenge.metadata.uid, controller: true },
        ],
      },
      spec: {
        ingressClassName: 'nginx',
        rules: [
          {
            host: 'www.example.com',
            http: {
              paths: [
                {
                  path: `/.well-known/acme-challenge/${aToken}`,
                  pathType: 'Exact',
                  backend: { service: { name: 'cm-acme-http-solver', port: { number: 8089 } } },
                },
              ],
            },
          },
        ],
      },
    });
  });

  it('computes checksums as zlib does', () => {
    expect(adler32('Wikipedia')).toBe('300286872');
    expect(adler32('')).toBe('1');
  });

  it.each([
    [{ class: 'nginx' }, undefined, 'nginx'],
    [{ ingressClassName: 'nginx' }, 'nginx', undefined],
    [{ ingressClassName: 'nginx', class: 'other' }, 'nginx', undefined],
    [{}, undefined, undefined],
  ])('is of the class that %j says', (ingress, byField, byAnnotation) => {
    const { spec, metadata } = temporaryIngressFor(aChallenge({ ingress }));
    expect(spec?.ingressClassName).toBe(byField);
    expect(metadata.annotations?.['kubernetes.io/ingress.class']).toBe(byAnnotation);
  });

  it('has no host for an IP address', () => {
    const [rule] = temporaryIngressFor(aChallenge({ dnsName: '192.0.2.1' })).spec?.rules ?? [];
    expect(rule).not.toHaveProperty('host');
  });

  it('takes labels and annotations of the template, except for the labels it is found by', () => {
    const labels = { team: 'a', 'acme.cert-manager.io/http01-solver': 'false' };
    const annotations = { 'nginx.ingress.kubernetes.io/whitelist-source-range': '192.0.2.0/24' };
    const { metadata } = temporaryIngressFor(
      aChallenge({ ingress: { ingressTemplate: { metadata: { labels, annotations } } } }),
    );
    expect(metadata.labels).toMatchObject({ team: 'a', 'acme.cert-manager.io/http01-solver': 'true' });
    expect(metadata.annotations).toEqual(annotations);
  });

  it('is written once, however often it is ensured', async () => {
    const challenge = await cluster.challenge(aChallenge({}));
    await Promise.all([
      temporary.ensure(challenge),
      temporary.ensure(challenge),
      temporary.ensure(challenge),
    ]);
    await temporary.ensure(challenge);
    expect(await cluster.all(ingresses)).toHaveLength(1);
    expect(cluster.writes).not.toContain('update Ingress');
  });

  it('is made again where it was deleted, and mended where its path was taken out', async () => {
    const challenge = await cluster.challenge(aChallenge({}));
    await temporary.ensure(challenge);
    const made = await cluster.outside.get(ingresses, keyFor(challenge));
    await cluster.api.update(ingresses, { ...made, spec: { rules: [{ host: 'other.test' }] } });
    await temporary.ensure(challenge);
    expect((await cluster.outside.get(ingresses, keyFor(challenge))).spec).toEqual(made.spec);

    await cluster.api.delete(ingresses, keyFor(challenge));
    await temporary.ensure(challenge);
    expect(await cluster.all(ingresses)).toHaveLength(1);
  });

  it('is the one that cert-manager has made for the challenge, led to the solver', async () => {
    const challenge = await cluster.challenge(aChallenge({}));
    const { metadata, spec } = temporaryIngressFor(challenge);
    const [rule] = spec?.rules ?? [];
    const paths = (rule?.http?.paths ?? []).map(path => ({
      ...path,
      backend: { service: { name: 'cm-acme-http-solver-p2xq9', port: { number: 8089 } } },
    }));
    const name = 'cm-acme-http-solver-x7k2p';
    await cluster.api.create(ingresses, {
      metadata: { ...metadata, name },
      spec: { ...spec, rules: [{ ...rule, http: { paths } }] },
    });
    await temporary.ensure(challenge);
    const all = await cluster.all(ingresses);
    expect(all.map(found => found.metadata.name)).toEqual([name]);
    expect(all[0]?.spec).toEqual(spec);
  });

  it('never takes the place of another Ingress of the same name', async () => {
    const challenge = await cluster.challenge(aChallenge({}));
    const foreign: Ingress = {
      metadata: { namespace: 'shop', name: temporaryIngressName(challenge), labels: { mine: 'yes' } },
      spec: { rules: [{ host: 'mine.test' }] },
    };
    const stored = await cluster.outside.create(ingresses, foreign);
    await expect(temporary.ensure(challenge)).rejects.toMatchObject({ code: 'SOLVER_INGRESS_TAKEN' });
    await temporary.remove(challenge);
    expect(await cluster.all(ingresses)).toEqual([stored]);
  });

  it('is removed, with what cert-manager made for the challenge, and nothing else', async () => {
    const challenge = await cluster.challenge(aChallenge({ name: 'site-1' }));
    const other = await cluster.challenge(aChallenge({ name: 'site-2' }));
    await temporary.ensure(challenge);
    await temporary.ensure(other);
    const { metadata, spec } = temporaryIngressFor(challenge);
    await cluster.api.create(ingresses, {
      metadata: { ...metadata, name: 'cm-acme-http-solver-x7k2p' },
      spec,
    });
    await temporary.remove(challenge);
    await temporary.remove(challenge);
    expect((await cluster.all(ingresses)).map(found => found.metadata.name)).toEqual([
      temporaryIngressName(other),
    ]);
  });

  it('is removed by a process whose cache is not there yet', async () => {
    const young = aCluster();
    const challenge = await young.challenge(aChallenge({}));
    await young.outside.create(ingresses, temporaryIngressFor(challenge));
    const cache = young.caches.cacheOf(ingresses);
    await createTemporaryIngresses({ api: young.api, ingresses: cache }).remove(challenge);
    expect(await young.all(ingresses)).toEqual([]);
  });
});

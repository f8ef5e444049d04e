import { expect, it } from 'vitest';
import type { Http01Ingress } from '../../api/acme/solver.ts';
import { ingresses } from '../../api/kubernetes/ingress.ts';
import { ingressClasses } from '../../api/kubernetes/ingress-class.ts';
import { defaultClassSettings } from '../../api/kubernetes/ingress-selection.ts';
import { aChallenge } from '../challenge.testing.ts';
import { aCluster } from './cluster.testing.ts';
import { createNodePortRule } from './node-port.ts';

/** Whether the rule wants a NodePort, in a cluster with classes of ours and others', and an Ingress of each. */
async function wantsNodePort(ingress: Http01Ingress, ourDefault = false): Promise<boolean> {
  const { caches, outside, start } = aCluster();
  const annotations = { 'ingressclass.kubernetes.io/is-default-class': 'true' };
  await outside.create(ingressClasses, {
    metadata: { name: 'edge', ...(ourDefault && { annotations }) },
    spec: { controller: 'postern.dev/ingress' },
  });
  await outside.create(ingressClasses, {
    metadata: { name: 'gce' },
    spec: { controller: 'example.com/gce' },
  });
  for (const name of ['edge', 'gce']) {
    await outside.create(ingresses, {
      metadata: { name: `of-${name}`, namespace: 'shop' },
      spec: { ingressClassName: name, defaultBackend: { service: { name: 'a', port: { number: 80 } } } },
    });
  }
  const rule = createNodePortRule({
    ingresses: caches.cacheOf(ingresses),
    classes: caches.cacheOf(ingressClasses),
    settings: defaultClassSettings,
  });
  await start();
  return rule(aChallenge({ namespace: 'shop', ingress }));
}

it.each<[what: string, ingress: Http01Ingress, nodePort: boolean]>([
  ['NodePort is asked for', { ingressClassName: 'edge', serviceType: 'NodePort' }, true],
  ['ClusterIP is asked for', { ingressClassName: 'gce', serviceType: 'ClusterIP' }, false],
  ['the class is of another controller', { ingressClassName: 'gce' }, true],
  ['the class of the annotation is of another controller', { class: 'gce' }, true],
  ['the class is ours', { ingressClassName: 'edge' }, false],
  ['the class is ours without an object', { class: 'postern' }, false],
  ['there is no class', {}, true],
  ['an Ingress of another controller is edited', { name: 'of-gce' }, true],
  ['an Ingress of ours is edited', { name: 'of-edge' }, false],
])('where %s', async (_, ingress, nodePort) => {
  expect(await wantsNodePort(ingress)).toBe(nodePort);
});

it('the default class may be ours', async () => {
  expect(await wantsNodePort({}, true)).toBe(false);
});

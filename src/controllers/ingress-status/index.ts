import { ingresses } from '../../api/kubernetes/ingress.ts';
import { ingressClasses } from '../../api/kubernetes/ingress-class.ts';
import type { ClassSettings } from '../../api/kubernetes/ingress-selection.ts';
import { keyOf } from '../../api/meta.ts';
import type { ControllerSpec } from '../../runtime/controller.ts';
import type { ControllerContext } from '../context.ts';
import { type PublishedAddress, publishedOf } from './published.ts';
import { servedIngresses } from './served.ts';
import { statusWith } from './status.ts';

export interface IngressStatusOptions {
  readonly published: PublishedAddress;
  readonly classes: ClassSettings;
}

/**
 * Writes where the edge is reached into `status.loadBalancer.ingress` of the Ingresses that it serves (edge.md, statement
 * 17), and nothing where it stands there already. The leader does so alone, as with all controllers; Ingresses of other
 * classes are left alone.
 */
export function ingressStatusController(
  { api, caches }: ControllerContext,
  options: IngressStatusOptions,
): ControllerSpec {
  const ingressCache = caches.cacheOf(ingresses);
  const classCache = caches.cacheOf(ingressClasses);
  const published = publishedOf(caches, options.published);
  const isServed = servedIngresses(classCache, options.classes);
  return {
    name: 'ingress-status',
    watch(enqueue) {
      const enqueueAll = (): void => {
        for (const ingress of ingressCache.list()) enqueue(keyOf(ingress));
      };
      ingressCache.onChange(({ after }) => {
        if (after !== undefined) enqueue(keyOf(after));
      });
      classCache.onChange(({ before, after }) => {
        if (before !== after) enqueueAll();
      });
      published.serviceCache?.onChange(({ before, after }) => {
        if (before !== after) enqueueAll();
      });
    },
    async reconcile(key) {
      const ingress = ingressCache.get(key);
      if (ingress === undefined || !isServed(ingress)) return {};
      const status = statusWith(ingress, published.addresses());
      if (status !== undefined) await api.updateStatus(ingresses, { ...ingress, status });
      return {};
    },
  };
}

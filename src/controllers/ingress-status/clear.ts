import { pods } from '../../api/kubernetes/core.ts';
import { ingresses } from '../../api/kubernetes/ingress.ts';
import { ingressClasses } from '../../api/kubernetes/ingress-class.ts';
import { messageOf } from '../../core/errors.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { ControllerContext } from '../context.ts';
import type { IngressStatusOptions } from './index.ts';
import { publishedOf } from './published.ts';
import { servedIngresses } from './served.ts';
import { statusWith } from './status.ts';

/** Which process this is among others that serve the same Ingresses. */
export type Replica =
  /** There are no others: standalone mode. */
  | { readonly kind: 'only' }
  /** A pod; the others are the pods of its namespace with these labels. */
  | {
      readonly kind: 'pod';
      readonly namespace: string;
      readonly name: string;
      readonly labelSelector: string;
    }
  /** Nothing is known of others. */
  | { readonly kind: 'unknown' };

const parallel = 16;
/** The end of the process is not held up for longer. */
const withinMs = 10_000;

/**
 * To be called when this process has stopped its controllers: where no other pod of the edge is left, or coming up, what was
 * published is taken away. A pod that is being deleted does not count, so that of several that end together the last ones do
 * it, all of them if need be: the writes are the same. A pod that crashed takes nothing away, and neither does a process that
 * cannot know of others. Addresses that somebody else wrote are left. Never throws.
 */
export async function clearStatusOfLast(
  context: ControllerContext,
  options: IngressStatusOptions,
  replica: Replica,
): Promise<void> {
  const { logger } = context;
  try {
    if (!(await isLast(context, replica))) return;
    const count = await clearAll(context, options);
    if (count > 0) logger.info('the last replica ends: Ingresses have no address any more', { count });
  } catch (error) {
    logger.warn('addresses could not be taken out of Ingresses', { error: messageOf(error) });
  }
}

async function isLast({ api }: ControllerContext, replica: Replica): Promise<boolean> {
  if (replica.kind !== 'pod') return replica.kind === 'only';
  const { namespace, name, labelSelector } = replica;
  const { items } = await api.list(pods, { namespace, labelSelector });
  return items.every(
    ({ metadata, status }) =>
      metadata.name === name ||
      metadata.deletionTimestamp !== undefined ||
      status?.phase === 'Succeeded' ||
      status?.phase === 'Failed',
  );
}

async function clearAll(
  { api, caches, clock }: ControllerContext,
  { classes, published }: IngressStatusOptions,
): Promise<number> {
  const isServed = servedIngresses(caches.cacheOf(ingressClasses), classes);
  const ours = publishedOf(caches, published).addresses();
  const hasOurs = (ingress: Parameters<typeof isServed>[0]): boolean =>
    ours.length > 0 && isServed(ingress) && statusWith(ingress, ours) === undefined;
  const left = caches.cacheOf(ingresses).list().filter(hasOurs);
  const deadlineMs = clock.now() + withinMs;
  let cleared = 0;
  const work = async (): Promise<void> => {
    for (let ingress = left.pop(); ingress !== undefined; ingress = left.pop()) {
      if (clock.now() > deadlineMs) throw new Error(`not all within ${withinMs / 1_000} s`);
      const status = statusWith(ingress, []);
      if (status === undefined) continue;
      try {
        await api.updateStatus(ingresses, { ...ingress, status });
        cleared += 1;
      } catch (error) {
        // Another replica was quicker, or the Ingress is gone.
        if (!isKubeError(error, 'KUBE_CONFLICT', 'KUBE_NOT_FOUND')) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  return cleared;
}

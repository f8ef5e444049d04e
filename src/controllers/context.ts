import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { Caches } from '../kube/caches.ts';
import type { EventRecorder } from '../kube/events.ts';
import type { KubeApi } from '../kube/port.ts';

/** What every reconciler works with. */
export interface ControllerContext {
  /** Writes through this port are in the caches as soon as they are acknowledged. */
  readonly api: KubeApi;
  readonly caches: Caches;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly logger: Logger;
}

import type { KubeObject } from '../meta.ts';
import type { Resource } from '../resource.ts';
import type { ObjectReference } from './object-reference.ts';

/** Core v1 Event. */
export interface Event extends KubeObject {
  involvedObject: ObjectReference;
  type?: string | undefined;
  reason?: string | undefined;
  /** At most 1024 bytes. */
  message?: string | undefined;
  source?: { component?: string | undefined; host?: string | undefined } | undefined;
  firstTimestamp?: string | undefined;
  lastTimestamp?: string | undefined;
  count?: number | undefined;
  eventTime?: string | null | undefined;
  series?: { count?: number | undefined; lastObservedTime?: string | undefined } | undefined;
  action?: string | undefined;
  related?: ObjectReference | undefined;
  reportingComponent?: string | undefined;
  reportingInstance?: string | undefined;
}

export const events: Resource<Event> = {
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  namespaced: true,
  hasStatus: false,
};

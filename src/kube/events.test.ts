import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Event } from '../api/kubernetes/event.ts';
import type { KubeObject } from '../api/meta.ts';
import { type ManualClock, manualClock } from '../core/clock.testing.ts';
import { silentLogger } from '../core/logger.ts';
import { KubeError } from './errors.ts';
import { createEventRecorder, cutToBytes, type EventRecorder } from './events.ts';
import type { KubeApi } from './port.ts';

const minuteMs = 60_000;

let clock: ManualClock;
let stored: Map<string, Event>;
let writes: number;
/** Thrown by the next writes, one each. */
let faults: KubeError[];
/** Set to make writes wait. */
let gate: Promise<void>;
let recorder: EventRecorder;

/** As much of the API as events need. */
function eventApi(): KubeApi {
  const unused = (): never => {
    throw new Error('not used');
  };
  const write = async (): Promise<void> => {
    await gate;
    writes++;
    const fault = faults.shift();
    if (fault !== undefined) throw fault;
  };
  const api: Pick<KubeApi, 'create' | 'mergePatch'> = {
    async create(_, object) {
      await write();
      stored.set(object.metadata.name ?? '', object as unknown as Event);
      return object;
    },
    async mergePatch<T extends KubeObject>(
      _: unknown,
      { name }: { name: string },
      patch: object,
    ): Promise<T> {
      await write();
      const event = stored.get(name);
      if (event === undefined) throw new KubeError('KUBE_NOT_FOUND', 'it has expired');
      const patched = { ...event, ...patch };
      stored.set(name, patched);
      return patched as unknown as T;
    },
  };
  return {
    ...api,
    get: unused,
    list: unused,
    watch: unused,
    update: unused,
    updateStatus: unused,
    delete: unused,
    serves: unused,
  };
}

beforeEach(() => {
  clock = manualClock(Date.UTC(2026, 0, 1));
  stored = new Map();
  writes = 0;
  faults = [];
  gate = Promise.resolve();
  recorder = createEventRecorder({ api: eventApi(), clock, logger: silentLogger, instance: 'pod-1' });
});

const object: KubeObject = {
  apiVersion: 'cert-manager.io/v1',
  kind: 'Certificate',
  metadata: { namespace: 'shop', name: 'web', uid: 'u-1', resourceVersion: '7' },
};
const told = (): Event[] => [...stored.values()];

describe('an event', () => {
  it('says what happened to which object, when and by whom', async () => {
    recorder.warning(object, 'BadSecret', 'the Secret is damaged');
    await recorder.flush();
    const [event] = told();
    expect(event).toEqual({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { namespace: 'shop', name: expect.stringMatching(/^web\.[0-9a-f]{16}$/) },
      involvedObject: {
        apiVersion: 'cert-manager.io/v1',
        kind: 'Certificate',
        namespace: 'shop',
        name: 'web',
        uid: 'u-1',
        resourceVersion: '7',
      },
      type: 'Warning',
      reason: 'BadSecret',
      message: 'the Secret is damaged',
      source: { component: 'postern', host: 'pod-1' },
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:00Z',
      count: 1,
      reportingComponent: 'postern',
      reportingInstance: 'pod-1',
    });
  });

  it('about a cluster-scoped object lives in the namespace default', async () => {
    recorder.normal({ ...object, kind: 'ClusterIssuer', metadata: { name: 'ca' } }, 'Ready', 'it works');
    await recorder.flush();
    expect(told()[0]?.metadata.namespace).toBe('default');
    expect(told()[0]?.involvedObject.namespace).toBeUndefined();
    expect(told()[0]?.type).toBe('Normal');
  });

  it('about an object with a long name has a name that is not too long', async () => {
    recorder.normal(
      { ...object, metadata: { ...object.metadata, name: 'a'.repeat(253) } },
      'Ready',
      'it works',
    );
    await recorder.flush();
    expect(told()[0]?.metadata.name?.length).toBeLessThanOrEqual(253);
  });

  it.each([
    ['short', 'short'],
    ['x'.repeat(1_024), 'x'.repeat(1_024)],
    ['x'.repeat(1_025), 'x'.repeat(1_024)],
    [`${'x'.repeat(1_023)}é`, 'x'.repeat(1_023)],
    [`${'x'.repeat(1_021)}🏰`, 'x'.repeat(1_021)],
    [`${'x'.repeat(1_020)}🏰🏰`, `${'x'.repeat(1_020)}🏰`],
  ])('cuts a message of %#. length at a character', (text, expected) => {
    expect(cutToBytes(text, 1_024)).toBe(expected);
  });
});

describe('the same event again', () => {
  const repeat = (): void => recorder.warning(object, 'Pending', 'the order is pending');

  it('counts up, written at most once in 30 seconds', async () => {
    for (let round = 0; round < 25; round++) {
      repeat();
      clock.advance(2_000);
    }
    await recorder.flush();
    expect(
      told().map(({ count, firstTimestamp, lastTimestamp }) => [count, firstTimestamp, lastTimestamp]),
    ).toEqual([[25, '2026-01-01T00:00:00Z', '2026-01-01T00:00:48Z']]);
    expect(writes).toBe(3);
  });

  it('is written in the end without a flush', async () => {
    repeat();
    repeat();
    clock.advance(30_000);
    await vi.waitFor(() => expect(told()[0]?.count).toBe(2));
  });

  it('after more than ten minutes is another event', async () => {
    repeat();
    clock.advance(10 * minuteMs);
    repeat();
    clock.advance(10 * minuteMs + 1);
    repeat();
    await recorder.flush();
    expect(told().map(({ count }) => count)).toEqual([2, 1]);
  });

  it('is another one where the object, the type, the reason or the message differ', async () => {
    repeat();
    recorder.normal(object, 'Pending', 'the order is pending');
    recorder.warning(object, 'Failed', 'the order is pending');
    recorder.warning(object, 'Pending', 'the order is pending still');
    recorder.warning(
      { ...object, metadata: { ...object.metadata, uid: 'u-2' } },
      'Pending',
      'the order is pending',
    );
    await recorder.flush();
    expect(told().map(({ count }) => count)).toEqual([1, 1, 1, 1, 1]);
  });

  it('is told anew where the event has expired meanwhile', async () => {
    repeat();
    await recorder.flush();
    stored.clear();
    repeat();
    await recorder.flush();
    expect(told()).toMatchObject([{ count: 2, reason: 'Pending' }]);
  });
});

describe('too many events', () => {
  it('about one object are dropped, those about others are not', async () => {
    for (let index = 0; index < 100; index++) recorder.normal(object, 'Noise', `number ${index}`);
    recorder.normal({ ...object, metadata: { ...object.metadata, uid: 'u-2' } }, 'Ready', 'it works');
    await recorder.flush();
    expect(told().filter(({ reason }) => reason === 'Noise')).toHaveLength(25);
    expect(told().filter(({ reason }) => reason === 'Ready')).toHaveLength(1);
    clock.advance(10 * minuteMs);
    for (let index = 0; index < 100; index++) recorder.normal(object, 'Noise', `again ${index}`);
    await recorder.flush();
    expect(told().filter(({ reason }) => reason === 'Noise')).toHaveLength(27);
  });

  it('while the API does not answer are dropped, and nobody waits', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    for (let index = 0; index < 1_500; index++) {
      recorder.normal(
        { ...object, metadata: { ...object.metadata, uid: `u-${index}` } },
        'Ready',
        'it works',
      );
    }
    resolve();
    await recorder.flush();
    expect(told()).toHaveLength(1_001);
  });
});

describe('an API that fails', () => {
  it('is tried again, after what it asks for', async () => {
    faults = [
      new KubeError('KUBE_TOO_MANY_REQUESTS', 'busy', { retryAfterMs: 4_000 }),
      new KubeError('KUBE_UNAVAILABLE', 'down'),
    ];
    recorder.normal(object, 'Ready', 'it works');
    await vi.waitFor(() => expect(writes).toBe(1));
    clock.advance(3_999);
    expect(writes).toBe(1);
    clock.advance(1);
    await vi.waitFor(() => expect(writes).toBe(2));
    await vi.waitFor(() => {
      clock.advance(500);
      expect(told()).toHaveLength(1);
    });
  });

  it('loses the event where it refuses it, and the next one is written', async () => {
    faults = [new KubeError('KUBE_FORBIDDEN', 'no rights')];
    recorder.normal(object, 'Ready', 'it works');
    recorder.normal(object, 'Issued', 'the certificate was issued');
    await recorder.flush();
    expect(told().map(({ reason }) => reason)).toEqual(['Issued']);
  });

  it('does not hold up a flush for longer than its deadline', async () => {
    gate = new Promise(() => {});
    recorder.normal(object, 'Ready', 'it works');
    const flushed = recorder.flush();
    clock.advance(5_000);
    await flushed;
    expect(told()).toEqual([]);
  });
});

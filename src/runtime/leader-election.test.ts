import { describe, expect, it } from 'vitest';
import { type ManualClock, manualClock } from '../core/clock.testing.ts';
import { silentLogger } from '../core/logger.ts';
import { createLeaderElector, type LeaderElectorOptions } from './leader-election.ts';
import { type LeaseApi, leaseApi, settled } from './lease-api.testing.ts';

const lease = { namespace: 'kube-system', name: 'postern-controller' };

interface Candidate {
  readonly identity: string;
  /** How often it has led; and whether its work has been told to end. */
  readonly reigns: AbortSignal[];
  leads(): boolean;
  /** Tells it to stop; resolves when it has. */
  stop(): Promise<void>;
  /** As a process that is killed: nothing of it runs on. */
  kill(): void;
  readonly run: Promise<void>;
}

function aCandidate(
  api: LeaseApi,
  clock: ManualClock,
  identity: string,
  options: Partial<LeaderElectorOptions> & { readonly work?: (leading: AbortSignal) => Promise<void> } = {},
): Candidate {
  let isDead = false;
  const mortalClock = {
    now: () => clock.now(),
    after: (ms: number, callback: () => void) => clock.after(ms, () => (isDead ? undefined : callback())),
  };
  const elector = createLeaderElector({
    api,
    clock: mortalClock,
    logger: silentLogger,
    lease,
    identity,
    random: () => 0,
    ...options,
  });
  const stop = new AbortController();
  const reigns: AbortSignal[] = [];
  const run = elector.run(stop.signal, async leading => {
    reigns.push(leading);
    await (options.work?.(leading) ?? aborted(leading));
  });
  return {
    identity,
    reigns,
    run,
    leads: () => elector.isLeader,
    stop() {
      stop.abort();
      return run;
    },
    kill() {
      isDead = true;
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
  });
}

async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    clock.advance(Math.min(1_000, ms - passed));
    await settled();
  }
}

describe('leader election', () => {
  it('the first candidate makes the Lease and leads at once, with times that Kubernetes accepts', async () => {
    const api = leaseApi();
    const clock = manualClock();
    const one = aCandidate(api, clock, 'one');
    await settled();
    expect(one.leads()).toBe(true);
    expect(api.lease).toMatchObject({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: lease,
      spec: {
        holderIdentity: 'one',
        leaseDurationSeconds: 60,
        acquireTime: '2026-01-01T00:00:00.000000Z',
        renewTime: '2026-01-01T00:00:00.000000Z',
        leaseTransitions: 0,
      },
    });
    await one.stop();
  });

  it('of two candidates one leads, for as long as it renews', async () => {
    const api = leaseApi();
    const clock = manualClock();
    const one = aCandidate(api, clock, 'one');
    const two = aCandidate(api, clock, 'two');
    await settled();
    for (let minute = 0; minute < 10; minute += 1) {
      await pass(clock, 60_000);
      expect([one.leads(), two.leads()]).toEqual([true, false]);
    }
    expect(api.lease?.spec).toMatchObject({
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:10:00.000000Z',
    });
    await Promise.all([one.stop(), two.stop()]);
  });

  it('one write a renewal, every 15 s', async () => {
    const api = leaseApi();
    const clock = manualClock();
    const one = aCandidate(api, clock, 'one');
    await settled();
    await pass(clock, 60_000);
    expect(api.writes).toBe(1 + 4);
    await one.stop();
  });

  it('a leader that stops releases the Lease when its work is over, and the other leads at once', async () => {
    const api = leaseApi();
    const clock = manualClock();
    let finishWork = (): void => {};
    const one = aCandidate(api, clock, 'one', {
      work: () => new Promise<void>(resolve => (finishWork = resolve)),
    });
    await settled();
    const two = aCandidate(api, clock, 'two');
    await settled();
    const stopped = one.stop();
    await settled();
    expect(one.reigns[0]?.aborted).toBe(true);
    expect(two.leads()).toBe(false);
    finishWork();
    await stopped;
    await settled();
    expect(two.leads()).toBe(true);
    expect(api.lease?.spec).toMatchObject({ holderIdentity: 'two', leaseTransitions: 1 });
    await two.stop();
    expect(api.lease?.spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
  });

  it('without the right to watch Leases the other leads after its next look', async () => {
    const api = leaseApi();
    api.isBlind = true;
    const clock = manualClock();
    const one = aCandidate(api, clock, 'one');
    await settled();
    const two = aCandidate(api, clock, 'two');
    await settled();
    await one.stop();
    await settled();
    expect(two.leads()).toBe(false);
    await pass(clock, 15_000);
    expect(two.leads()).toBe(true);
    await two.stop();
  });

  it('a leader that is killed is followed when its lease has run out, and no earlier', async () => {
    const api = leaseApi();
    const clock = manualClock();
    const one = aCandidate(api, clock, 'one');
    const two = aCandidate(api, clock, 'two');
    await settled();
    await pass(clock, 20_000);
    one.kill();
    // Its last renewal was at 15 s.
    await pass(clock, 54_000);
    expect(two.leads()).toBe(false);
    await pass(clock, 1_000);
    expect(two.leads()).toBe(true);
    await two.stop();
  });

  it.each([
    ['years ago', '2001-01-01T00:00:00.000000Z'],
    ['in years', '2099-01-01T00:00:00.000000Z'],
  ])(
    "does not trust another's clock: a record renewed %s counts from when it is first seen",
    async (_, renewTime) => {
      const api = leaseApi();
      const clock = manualClock();
      const spec = { holderIdentity: 'another', leaseDurationSeconds: 60, renewTime, leaseTransitions: 4 };
      api.put({ metadata: lease, spec });
      const one = aCandidate(api, clock, 'one');
      await settled();
      await pass(clock, 59_000);
      expect(one.leads()).toBe(false);
      await pass(clock, 1_000);
      expect(one.leads()).toBe(true);
      expect(api.lease?.spec?.leaseTransitions).toBe(5);
      await one.stop();
    },
  );

  it('a leader that cannot renew stops leading after 40 s, before another leads at 60 s', async () => {
    const api = leaseApi();
    const clock = manualClock();
    const one = aCandidate(api, clock, 'one');
    await settled();
    api.isDown = true;
    await pass(clock, 39_000);
    expect(one.leads()).toBe(true);
    await pass(clock, 1_000);
    expect(one.leads()).toBe(false);
    expect(one.reigns[0]?.aborted).toBe(true);
    await one.stop();
  });

  it('a leader survives an outage that is shorter than the deadline', async () => {
    const api = leaseApi();
    const clock = manualClock();
    const one = aCandidate(api, clock, 'one');
    await settled();
    await pass(clock, 10_000);
    api.isDown = true;
    await pass(clock, 25_000);
    api.isDown = false;
    await pass(clock, 120_000);
    expect(one.leads()).toBe(true);
    expect(one.reigns).toHaveLength(1);
    await one.stop();
  });

  it('a leader that lost the Lease campaigns again, and leads again once it can', async () => {
    const api = leaseApi();
    const clock = manualClock();
    const one = aCandidate(api, clock, 'one');
    await settled();
    api.isDown = true;
    await pass(clock, 50_000);
    expect(one.leads()).toBe(false);
    api.isDown = false;
    await pass(clock, 20_000);
    expect(one.leads()).toBe(true);
    expect(one.reigns).toHaveLength(2);
    await one.stop();
  });

  it('a leader whose Lease another took stops leading at its next renewal', async () => {
    const api = leaseApi();
    const clock = manualClock();
    const one = aCandidate(api, clock, 'one');
    await settled();
    api.put({ metadata: lease, spec: { holderIdentity: 'thief', leaseDurationSeconds: 60 } });
    await pass(clock, 15_000);
    expect(one.leads()).toBe(false);
    expect(api.lease?.spec?.holderIdentity).toBe('thief');
    await one.stop();
    expect(api.lease?.spec?.holderIdentity).toBe('thief');
  });

  it('a leader whose Lease was edited or deleted by hand leads on', async () => {
    const api = leaseApi();
    const clock = manualClock();
    const one = aCandidate(api, clock, 'one');
    await settled();
    api.put({ ...api.lease, metadata: { ...lease, labels: { edited: 'true' } } });
    await pass(clock, 30_000);
    api.remove();
    await pass(clock, 30_000);
    expect(one.reigns).toHaveLength(1);
    expect(one.leads()).toBe(true);
    expect(api.lease?.spec?.holderIdentity).toBe('one');
    await one.stop();
  });

  it('ends with what the work threw, and releases the Lease', async () => {
    const api = leaseApi();
    const one = aCandidate(api, manualClock(), 'one', {
      work: async () => {
        throw new Error('broken');
      },
    });
    await expect(one.run).rejects.toThrow('broken');
    expect(api.lease?.spec?.holderIdentity).toBe('');
  });

  it('gives the Lease back unused where it is told to stop while it wins', async () => {
    const api = leaseApi();
    const changes: boolean[] = [];
    const one = aCandidate(api, manualClock(), 'one', { onChange: isLeader => changes.push(isLeader) });
    await one.stop();
    expect(api.lease?.spec?.holderIdentity).toBe('');
    expect(one.reigns).toEqual([]);
    expect(changes).toEqual([]);
  });

  it('tells of each change', async () => {
    const api = leaseApi();
    const changes: boolean[] = [];
    const one = aCandidate(api, manualClock(), 'one', { onChange: isLeader => changes.push(isLeader) });
    await settled();
    await one.stop();
    expect(changes).toEqual([true, false]);
  });

  it('never two at a time, whoever stops, dies or is cut off', async () => {
    const api = leaseApi();
    const clock = manualClock();
    const candidates = ['a', 'b', 'c'].map(identity => aCandidate(api, clock, identity));
    let handovers = 0;
    let before: string | undefined;
    for (let second = 0; second < 600; second += 1) {
      if (second === 100 || second === 300) candidates.find(one => one.leads())?.kill();
      if (second === 200) api.isDown = true;
      if (second === 270) api.isDown = false;
      await pass(clock, 1_000);
      // One that was killed does not work, whatever its variables say.
      const leaders = candidates.filter(
        one => one.leads() && api.lease?.spec?.holderIdentity === one.identity,
      );
      expect(leaders.length).toBeLessThanOrEqual(1);
      const leader = leaders[0]?.identity;
      if (leader !== undefined && leader !== before) {
        handovers += 1;
        before = leader;
      }
    }
    expect(handovers).toBeGreaterThanOrEqual(3);
  });

  it('refuses times that do not fit', () => {
    const times = { leaseDurationMs: 30_000, renewDeadlineMs: 40_000, retryPeriodMs: 15_000 };
    const base = { api: leaseApi(), clock: manualClock(), logger: silentLogger, lease, identity: 'one' };
    expect(() => createLeaderElector({ ...base, times })).toThrow('30 s, 40 s and 15 s');
  });
});

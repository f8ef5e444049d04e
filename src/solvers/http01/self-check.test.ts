import { describe, expect, it } from 'vitest';
import { type ManualClock, manualClock } from '../../core/clock.testing.ts';
import { aKeyAuthorization, aToken } from '../challenge.testing.ts';
import type { ProbeFailure, ProbeOutcome } from './probe.ts';
import { createSelfChecks, type SelfChecks, type SelfCheckTarget } from './self-check.ts';

const gone: ProbeFailure = { kind: 'dns', host: 'www.example.com', why: 'none', asked: '10.0.0.2:53' };
const notYet: ProbeFailure = { kind: 'status', at: '192.0.2.1:80', status: 404 };

interface Bench {
  readonly clock: ManualClock;
  readonly checks: SelfChecks;
  readonly settled: string[];
  /** Hosts of the probes that run, in the order in which they began. */
  readonly running: string[];
  /** Ends the probe of a host. */
  readonly end: (host: string, outcome: ProbeOutcome | ProbeFailure) => Promise<void>;
}

function aBench(concurrency?: number): Bench {
  const clock = manualClock();
  const settled: string[] = [];
  const running: string[] = [];
  const ends = new Map<string, (outcome: ProbeOutcome) => void>();
  const checks = createSelfChecks({
    clock,
    port: 80,
    concurrency,
    probe: ({ host }, signal) =>
      new Promise(resolve => {
        const end = (outcome: ProbeOutcome): void => {
          ends.delete(host);
          running.splice(running.indexOf(host), 1);
          resolve(outcome);
        };
        running.push(host);
        ends.set(host, end);
        signal.addEventListener('abort', () => end({ found: false, kind: 'timeout', at: undefined }));
      }),
  });
  checks.onSettled(key => settled.push(key.name));
  return {
    clock,
    checks,
    settled,
    running,
    async end(host, outcome) {
      ends.get(host)?.('found' in outcome ? outcome : { found: false, ...outcome });
      await turn();
    },
  };
}

/** Lets everything that is ready to run do so. */
const turn = (): Promise<void> =>
  new Promise(resolve => {
    setImmediate(resolve);
  });

function targetOf(host: string): SelfCheckTarget {
  const key = { namespace: 'shop', name: host };
  return { id: `uid of ${host}`, key, host, token: aToken, keyAuthorization: aKeyAuthorization };
}

const site = targetOf('www.example.com');

describe('self-checks', () => {
  it('run beside the one who asks, who is told when they have passed', async () => {
    const { checks, end, settled } = aBench();
    expect(checks.poll(site)).toEqual({ state: 'running' });
    expect(checks.poll(site)).toEqual({ state: 'running' });
    await end(site.host, { found: true });
    expect(settled).toEqual([site.key.name]);
    expect(checks.poll(site)).toEqual({ state: 'passed' });
  });

  it('back off alone: 1 s, 2 s, 4 s, up to 60 s', async () => {
    const { checks, clock, end, running } = aBench();
    const waits: number[] = [];
    for (let i = 0; i < 8; i += 1) {
      checks.poll(site);
      await end(site.host, gone);
      const state = checks.poll(site);
      if (state.state !== 'failed') throw new Error(state.state);
      waits.push(state.retryAfterMs);
      clock.advance(state.retryAfterMs - 1);
      expect(checks.poll(site)).toMatchObject({ state: 'failed', retryAfterMs: 1 });
      clock.advance(1);
      expect(running).toEqual([]);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });

  it('say why the try before failed while the next one runs', async () => {
    const { checks, clock, end } = aBench();
    checks.poll(site);
    await end(site.host, gone);
    clock.advance(1_000);
    expect(checks.poll(site)).toMatchObject({
      state: 'running',
      last: { reason: expect.stringContaining('does not resolve'), fix: expect.any(String) },
    });
  });

  it('look again at once for a path that is not taken up yet, and tell no failure until they know', async () => {
    const { checks, clock, end, running } = aBench();
    checks.poll(site);
    let looks = 0;
    while (checks.poll(site).state === 'running') {
      looks += 1;
      expect(running).toEqual([site.host]);
      await end(site.host, notYet);
      clock.advance(800);
      await turn();
    }
    expect(looks).toBe(7);
    expect(checks.poll(site)).toMatchObject({ state: 'failed' });

    // Only the first time: later failures are no start-up any more.
    clock.advance(1_000);
    checks.poll(site);
    await end(site.host, notYet);
    expect(checks.poll(site)).toMatchObject({ state: 'failed', retryAfterMs: 2_000 });
  });

  it('pass in the second look', async () => {
    const { checks, clock, end } = aBench();
    checks.poll(site);
    await end(site.host, notYet);
    clock.advance(25);
    await end(site.host, { found: true });
    expect(checks.poll(site)).toEqual({ state: 'passed' });
  });

  it('end at their deadline', async () => {
    const { checks, clock, settled } = aBench();
    checks.poll(site);
    clock.advance(10_000);
    await turn();
    expect(settled.at(-1)).toEqual(site.key.name);
    expect(checks.poll(site)).toMatchObject({ state: 'failed', reason: expect.stringContaining('in time') });
  });

  it('say when they are slow, once, be it in one look or in several', async () => {
    const { checks, clock, end, settled } = aBench();
    const several = targetOf('several.test');
    for (const target of [site, several]) checks.poll(target);
    await end(several.host, notYet);
    clock.advance(149);
    expect(settled).toEqual([]);
    clock.advance(1);
    expect(settled).toEqual([site.key.name, several.key.name]);
    for (const target of [site, several])
      expect(checks.poll(target)).toEqual({ state: 'running', isSlow: true });
    await end(site.host, { found: true });
    expect(checks.poll(site)).toEqual({ state: 'passed' });
    clock.advance(1_000);
    expect(settled).toEqual([site.key.name, several.key.name, site.key.name]);
  });

  it('run so many at once and no more, and go on as others end', async () => {
    const { checks, end, running } = aBench(2);
    for (const host of ['a.test', 'b.test', 'c.test']) checks.poll(targetOf(host));
    expect(running).toEqual(['a.test', 'b.test']);
    await end('a.test', { found: true });
    expect(running).toEqual(['b.test', 'c.test']);
  });

  it('give their place to others where they take long: dead names keep nobody waiting', async () => {
    const { checks, clock, running } = aBench(2);
    for (let i = 0; i < 20; i += 1) checks.poll(targetOf(`dead-${i}.test`));
    checks.poll(targetOf('good.test'));
    for (let i = 0; i < 10; i += 1) clock.advance(300);
    await turn();
    expect(running).toContain('good.test');
    expect(running).toHaveLength(21);
  });

  it('put names that have not failed yet before those that have', async () => {
    const { checks, clock, end, running } = aBench(1);
    const dead = targetOf('dead.test');
    checks.poll(dead);
    await end('dead.test', gone);
    checks.poll(targetOf('busy.test'));
    clock.advance(1_000 - 1);
    clock.set(clock.now() + 1);
    checks.poll(targetOf('busy-too.test'));
    checks.poll(dead);
    checks.poll(targetOf('good.test'));
    await end('busy.test', { found: true });
    await end('busy-too.test', { found: true });
    expect(running[0]).toBe('good.test');
  });

  it('are forgotten, running or not', async () => {
    const { checks, running, settled } = aBench();
    checks.poll(site);
    checks.forget(site.id);
    await turn();
    expect(running).toEqual([]);
    expect(settled).toEqual([]);
    expect(checks.poll(site)).toEqual({ state: 'running' });
    checks.stop();
    await turn();
    expect(running).toEqual([]);
  });

  it('start anew where the answer to look for is another', async () => {
    const { checks, end } = aBench();
    checks.poll(site);
    await end(site.host, { found: true });
    expect(checks.poll({ ...site, keyAuthorization: 'another' })).toEqual({ state: 'running' });
  });

  it('do not wait longer because the clock was set back', async () => {
    const { checks, clock, end } = aBench();
    checks.poll(site);
    await end(site.host, gone);
    clock.set(clock.now() - 3_600_000);
    expect(checks.poll(site)).toMatchObject({ state: 'running', last: { reason: expect.any(String) } });
  });
});

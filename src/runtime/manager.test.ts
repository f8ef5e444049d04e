import { describe, expect, it } from 'vitest';
import { manualClock } from '../core/clock.testing.ts';
import { silentLogger } from '../core/logger.ts';
import type { Controller } from './controller.ts';
import { reportHealth } from './health.ts';
import { createLeaderElector } from './leader-election.ts';
import { leaseApi, settled } from './lease-api.testing.ts';
import { createManager } from './manager.ts';

function setUp(options: { readonly finishesWork?: boolean } = {}) {
  const story: string[] = [];
  const clock = manualClock();
  let fill = (): void => {};
  let problem: { code: string; since: number } | undefined;
  const caches = {
    start(signal: AbortSignal) {
      story.push('caches start');
      signal.addEventListener('abort', () => story.push('caches stop'));
    },
    synced: new Promise<void>(resolve => (fill = resolve)),
    status: () => [
      { resource: 'ingresses', synced: true, lastError: undefined },
      { resource: 'secrets', synced: false, lastError: problem },
    ],
  };
  const controller: Controller = {
    name: 'sites',
    watch: () => void story.push('watch'),
    work(signal) {
      story.push('work');
      return new Promise(resolve => {
        signal.addEventListener('abort', () => {
          if (options.finishesWork === false) return;
          story.push('work ends');
          resolve();
        });
      });
    },
    queue: () => ({ depth: 0, inWork: 1, delayed: 0 }),
    shutDown: async () => void story.push('queue is dropped'),
  };
  const api = leaseApi();
  const elector = createLeaderElector({
    api,
    clock,
    logger: silentLogger,
    lease: { namespace: 'kube-system', name: 'postern-controller' },
    identity: 'one',
    onChange: isLeader => story.push(isLeader ? 'leads' : 'leads no more'),
  });
  const base = { clock, logger: silentLogger, caches, controllers: [controller], stopTimeoutMs: 5_000 };
  const fail = (code: string) => void (problem = { code, since: clock.now() });
  return { story, clock, api, elector, base, fill: () => fill(), fail };
}

describe('manager', () => {
  it('subscribes, fills the caches, leads, works; and stops in the opposite order', async () => {
    const { story, api, elector, base, fill } = setUp();
    const manager = createManager({ ...base, elector });
    const stop = new AbortController();
    const run = manager.run(stop.signal);
    await settled();
    expect(story).toEqual(['watch', 'caches start']);
    expect(reportHealth(manager.ready).healthy).toBe(false);
    fill();
    await settled();
    expect(story.splice(0)).toEqual(['watch', 'caches start', 'leads', 'work']);
    expect(reportHealth([...manager.ready, ...manager.live]).healthy).toBe(true);
    stop.abort();
    await run;
    expect(story.toSorted()).toEqual(
      ['leads no more', 'work ends', 'queue is dropped', 'caches stop'].toSorted(),
    );
    expect(story.indexOf('work ends')).toBeLessThan(story.indexOf('caches stop'));
    expect(api.lease?.spec?.holderIdentity).toBe('');
  });

  it('says on /readyz what is not listed yet, and what may not be read for a while', async () => {
    const { clock, base, fill, fail } = setUp();
    const manager = createManager(base);
    const stop = new AbortController();
    const run = manager.run(stop.signal);
    expect(reportHealth(manager.ready).text).toContain('[-]caches failed: not listed yet: secrets\n');
    fill();
    await settled();
    fail('KUBE_UNAVAILABLE');
    expect(reportHealth(manager.ready).healthy).toBe(true);
    fail('KUBE_FORBIDDEN');
    clock.advance(29_000);
    expect(reportHealth(manager.ready).healthy).toBe(true);
    clock.advance(1_000);
    expect(reportHealth(manager.ready).text).toContain(
      '[-]permissions failed: the API server refuses to list or watch: secrets\n',
    );
    stop.abort();
    await run;
  });

  it('without an election works at once', async () => {
    const { story, base, fill } = setUp();
    const stop = new AbortController();
    const run = createManager(base).run(stop.signal);
    fill();
    await settled();
    expect(story).toEqual(['watch', 'caches start', 'work']);
    stop.abort();
    await run;
  });

  it.each(['is there', 'has failed'])('works when what goes first %s', async how => {
    const { story, base, fill } = setUp();
    const first = Promise.withResolvers<void>();
    const stop = new AbortController();
    const run = createManager({ ...base, first: first.promise }).run(stop.signal);
    fill();
    await settled();
    expect(story).toEqual(['watch', 'caches start']);
    if (how === 'is there') first.resolve();
    else first.reject(new Error('the edge could not start'));
    await settled();
    expect(story).toEqual(['watch', 'caches start', 'work']);
    stop.abort();
    await run;
  });

  it('does not wait for long for what goes first', async () => {
    const { story, clock, base, fill } = setUp();
    const stop = new AbortController();
    const run = createManager({ ...base, first: new Promise(() => {}) }).run(stop.signal);
    fill();
    await settled();
    clock.advance(9_999);
    await settled();
    expect(story).not.toContain('work');
    clock.advance(1);
    await settled();
    expect(story).toContain('work');
    stop.abort();
    await run;
  });

  it('without controllers keeps the caches until it is told to stop', async () => {
    const { story, base, fill } = setUp();
    const stop = new AbortController();
    const run = createManager({ ...base, controllers: [] }).run(stop.signal);
    fill();
    await settled();
    expect(story).toEqual(['caches start']);
    stop.abort();
    await run;
    expect(story).toEqual(['caches start', 'caches stop']);
  });

  it('can be stopped before the caches are filled', async () => {
    const { story, base } = setUp();
    const stop = new AbortController();
    const run = createManager(base).run(stop.signal);
    await settled();
    stop.abort();
    await run;
    expect(story).toEqual(['watch', 'caches start', 'queue is dropped', 'caches stop']);
  });

  it('does not wait for ever for a reconcile, and keeps the Lease then', async () => {
    const { clock, api, elector, base, fill } = setUp({ finishesWork: false });
    const stop = new AbortController();
    const manager = createManager({ ...base, elector });
    const run = manager.run(stop.signal);
    fill();
    await settled();
    stop.abort();
    await settled();
    clock.advance(5_000);
    await expect(run).rejects.toMatchObject({
      code: 'STOP_TIMEOUT',
      message: expect.stringContaining('sites'),
    });
    expect(api.lease?.spec?.holderIdentity).toBe('one');
    expect(reportHealth(manager.live).healthy).toBe(false);
  });
});

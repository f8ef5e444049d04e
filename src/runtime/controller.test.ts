import { describe, expect, it } from 'vitest';
import { keyText, type ObjectKey } from '../api/meta.ts';
import { manualClock } from '../core/clock.testing.ts';
import { PosternError, TerminalError } from '../core/errors.ts';
import type { LogFields, Logger } from '../core/logger.ts';
import { KubeError } from '../kube/errors.ts';
import {
  type ControllerOptions,
  type ControllerSpec,
  createController,
  type ReconcileResult,
} from './controller.ts';
import { settled } from './lease-api.testing.ts';

const site: ObjectKey = { namespace: 'default', name: 'site' };

function aLog(): Logger & {
  readonly lines: [level: string, message: string, fields: LogFields | undefined][];
} {
  const lines: [string, string, LogFields | undefined][] = [];
  const at =
    (level: string) =>
    (message: string, fields?: LogFields): void =>
      void lines.push([level, message, fields]);
  const logger = { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  return Object.assign(logger, { child: () => logger as unknown as Logger });
}

function running(
  reconcile: ControllerSpec['reconcile'],
  options: Partial<ControllerOptions> & { readonly concurrency?: number } = {},
) {
  const clock = manualClock();
  const log = aLog();
  const outcomes: string[] = [];
  const stop = new AbortController();
  let enqueue: (key: ObjectKey) => void = () => {};
  const spec = {
    name: 'sites',
    watch: (add: typeof enqueue) => {
      enqueue = add;
    },
    reconcile,
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
  };
  const controller = createController(spec, {
    clock,
    logger: log,
    random: () => 1,
    metrics: {
      reconciled: outcome => outcomes.push(outcome),
      queueDepth: () => {},
      queueWaited: () => {},
      queueRetried: () => {},
    },
    ...options,
  });
  controller.watch();
  const work = controller.work(stop.signal);
  return { clock, log, outcomes, stop, controller, work, enqueue: (key: ObjectKey) => enqueue(key) };
}

/** A reconcile that does these things in turn, then succeeds; and the times at which it was called. */
function script(now: () => number, ...turns: (() => ReconcileResult)[]) {
  const calls: number[] = [];
  const reconcile = async (): Promise<ReconcileResult> => {
    calls.push(now());
    return turns[calls.length - 1]?.() ?? {};
  };
  return { calls, reconcile };
}

function throwing(thrown: unknown): () => never {
  return () => {
    throw thrown;
  };
}

describe('controller', () => {
  it('reconciles what is enqueued, and then rests', async () => {
    const keys: string[] = [];
    const run = running(async key => {
      keys.push(keyText(key));
      return {};
    });
    run.enqueue(site);
    run.enqueue({ namespace: '', name: 'issuer' });
    await settled();
    run.clock.advance(3_600_000);
    await settled();
    expect(keys).toEqual(['default/site', 'issuer']);
    expect(run.outcomes).toEqual(['success', 'success']);
    expect(run.log.lines).toEqual([]);
  });

  it('lets others have their turn while reconciles have nothing to wait for', async () => {
    let done = 0;
    const reconcile = async (): Promise<ReconcileResult> => {
      const untilMs = performance.now() + 1;
      while (performance.now() < untilMs);
      done += 1;
      return {};
    };
    const run = running(reconcile);
    for (let index = 0; index < 200; index++) run.enqueue({ namespace: 'shop', name: `site-${index}` });
    await new Promise(resolve => setImmediate(resolve));
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(100);
    run.stop.abort();
    await run.work;
  });

  it.each([
    ['again when it asked to be', () => ({ requeueAfterMs: 90_000 }), 90_000, [], 'success'],
    ['at once when the time it asked for has passed', () => ({ requeueAfterMs: -5 }), 0, [], 'success'],
    ['after a back-off when it failed', throwing(new Error('down')), 50, ['error'], 'error'],
    ['after a back-off when it threw no Error', throwing('down'), 50, ['error'], 'error'],
    [
      'after the time that the error states',
      throwing(new PosternError('slow down', { code: 'X', retry: 'after', retryAfterMs: 7_000 })),
      7_000,
      ['warn'],
      'error',
    ],
    [
      'after a back-off when the error should state a time and does not',
      throwing(new PosternError('slow down', { code: 'X', retry: 'after' })),
      50,
      ['warn'],
      'error',
    ],
    [
      'soon and without noise after a conflict',
      throwing(new KubeError('KUBE_CONFLICT', 'changed')),
      50,
      ['debug'],
      'conflict',
    ],
  ])('reconciles %s', async (_, turn, delayMs, levels, outcome) => {
    const { calls, reconcile } = script(() => run.clock.now(), turn);
    const run = running(reconcile);
    const start = run.clock.now();
    run.enqueue(site);
    await settled();
    run.clock.advance(Math.max(0, delayMs - 1));
    await settled();
    expect(calls).toHaveLength(delayMs === 0 ? 2 : 1);
    run.clock.advance(1);
    await settled();
    expect(calls).toEqual([start, start + delayMs]);
    expect(run.log.lines.map(([level]) => level)).toEqual(levels);
    expect(run.outcomes).toEqual([outcome, 'success']);
  });

  it('does not try again after a terminal error, until something changes', async () => {
    const { calls, reconcile } = script(
      () => run.clock.now(),
      throwing(new TerminalError('fix it', { code: 'X' })),
    );
    const run = running(reconcile);
    run.enqueue(site);
    await settled();
    run.clock.advance(86_400_000);
    await settled();
    expect(calls).toHaveLength(1);
    expect(run.log.lines.map(([level, message]) => [level, message])).toEqual([
      ['error', 'reconcile failed, waiting for a change'],
    ]);
    run.enqueue(site);
    await settled();
    expect(calls).toHaveLength(2);
  });

  it('a reconcile that throws before it gives a promise is a failure like others', async () => {
    const run = running(throwing(new Error('at once')));
    run.enqueue(site);
    await settled();
    expect(run.outcomes).toEqual(['error']);
  });

  it('backs off longer with each failure, and starts over after a success', async () => {
    let fail = true;
    const calls: number[] = [];
    const run = running(async () => {
      calls.push(run.clock.now() - start);
      if (fail) throw new Error('down');
      return {};
    });
    const start = run.clock.now();
    run.enqueue(site);
    for (let turn = 0; turn < 4; turn += 1) {
      await settled();
      run.clock.advance(50 * 2 ** turn);
    }
    fail = false;
    await settled();
    expect(calls).toEqual([0, 50, 150, 350, 750]);
    fail = true;
    run.enqueue(site);
    await settled();
    run.clock.advance(50);
    await settled();
    expect(calls.slice(5)).toEqual([750, 800]);
  });

  it('looks for an API server that is away every 20 s', async () => {
    const calls: number[] = [];
    const run = running(async () => {
      calls.push(run.clock.now());
      throw new KubeError('KUBE_UNAVAILABLE', 'refused');
    });
    run.enqueue(site);
    for (let turn = 0; turn < 15; turn += 1) {
      await settled();
      run.clock.advance(20_000);
    }
    expect(calls).toHaveLength(15);
  });

  it('works on as many keys at once as it may, and on no key twice', async () => {
    const working = new Map<string, () => void>();
    let most = 0;
    const run = running(
      async key => {
        expect(working.has(key.name)).toBe(false);
        await new Promise<void>(resolve => working.set(key.name, resolve));
        most = Math.max(most, working.size);
        working.delete(key.name);
        return {};
      },
      { concurrency: 3 },
    );
    for (const name of ['a', 'b', 'c', 'd', 'a']) run.enqueue({ namespace: 'x', name });
    await settled();
    expect([...working.keys()]).toEqual(['a', 'b', 'c']);
    run.enqueue({ namespace: 'x', name: 'a' });
    while (working.size > 0) {
      for (const finish of working.values()) finish();
      await settled();
    }
    expect(most).toBe(3);
    expect(run.outcomes).toHaveLength(5);
  });

  it('a slow key does not hold up the others', async () => {
    const done: string[] = [];
    const run = running(
      async key => {
        if (key.name === 'slow') await new Promise(() => {});
        done.push(key.name);
        return {};
      },
      { concurrency: 2 },
    );
    for (const name of ['slow', 'a', 'b', 'c']) run.enqueue({ namespace: 'x', name });
    await settled();
    expect(done).toEqual(['a', 'b', 'c']);
  });

  it('aborts a reconcile at its deadline, and tries again', async () => {
    const run = running(
      (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('some AbortError')));
        }),
      { reconcileTimeoutMs: 5_000 },
    );
    run.enqueue(site);
    await settled();
    run.clock.advance(5_000);
    await settled();
    expect(run.outcomes).toEqual(['error']);
    const [, , fields] = run.log.lines.at(-1) ?? [];
    expect(fields).toMatchObject({
      object: 'default/site',
      error: { code: 'RECONCILE_TIMEOUT' },
      failures: 1,
    });
  });

  it('breaks off at the stop signal, ends when the last reconcile has, and goes on where it was', async () => {
    const keys: string[] = [];
    let isBreakable = true;
    const run = running(
      async (key, signal) => {
        keys.push(key.name);
        if (isBreakable) {
          await new Promise((_resolve, reject) =>
            signal.addEventListener('abort', () => reject(new Error('AbortError'))),
          );
        }
        return {};
      },
      { concurrency: 1 },
    );
    run.enqueue(site);
    run.enqueue({ namespace: 'default', name: 'other' });
    await settled();
    run.stop.abort();
    await run.work;
    expect(run.outcomes).toEqual(['aborted']);
    expect(run.log.lines).toEqual([]);
    expect(run.controller.queue()).toEqual({ depth: 2, inWork: 0, delayed: 0 });
    isBreakable = false;
    const again = new AbortController();
    const work = run.controller.work(again.signal);
    await settled();
    expect(keys).toEqual(['site', 'other', 'site']);
    again.abort();
    await work;
  });
});

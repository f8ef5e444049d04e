import type { ObjectKey } from '../../api/meta.ts';
import { type BackoffPolicy, backoffDelayMs } from '../../core/backoff.ts';
import type { Clock } from '../../core/clock.ts';
import type { CheckFailure, CheckState } from '../solver.ts';
import type { Probe, ProbeFailure, ProbeTarget } from './probe.ts';
import { explainProbe } from './probe-message.ts';

/** A challenge to be checked. */
export interface SelfCheckTarget extends ProbeTarget {
  /** The challenge's uid. */
  readonly id: string;
  /** The challenge's key, which `onSettled` listeners are told. */
  readonly key: ObjectKey;
}

/**
 * The self-checks of all challenges. Nothing waits for them: `poll` gives how a check stands and starts what is due;
 * when one has settled, the listeners are told.
 *
 * A check that fails backs off alone: 1 s, 2 s, 4 s, at most 60 s. In its first seconds, while the Ingress
 * controllers take the new path up, an answer that is not there yet is looked for again at once, a few times. Checks
 * that take long give their place to others, so that dead names do not keep living ones waiting.
 */
export interface SelfChecks {
  poll(target: SelfCheckTarget): CheckState;
  /** Ends what runs and forgets how it stood. */
  forget(id: string): void;
  /**
   * Calls `listener` with the key of each challenge whose check has passed or failed, or turned out to be slow. Returns its
   * canceller.
   */
  onSettled(listener: (key: ObjectKey) => void): () => void;
  /** Ends all. */
  stop(): void;
}

export interface SelfChecksOptions {
  readonly probe: Probe;
  /** The port that `probe` asks, for messages. */
  readonly port: number;
  readonly clock: Clock;
  /** The deadline of one check, in milliseconds; 10 s by default. */
  readonly deadlineMs?: number | undefined;
  /** How many young checks run at once; 64 by default. */
  readonly concurrency?: number | undefined;
}

const betweenFailures: BackoffPolicy = { baseMs: 1_000, capMs: 60_000 };
/** An Ingress controller on the same machine needs some 20 ms, others a second or two. */
const firstLooksMs = [25, 50, 100, 200, 400, 800];
/** After this a check counts as slow, be it in one look or in several: it runs on, but beside the limits. */
const youngMs = 150;
/** Young and slow ones together: each is a socket or two. */
const mostRunning = 1_024;

/** The reason of every abort: nobody reads it, and one that is made for each has a stack to be told. */
const givenUp = new Error('the self-check was given up');

interface Check {
  readonly target: SelfCheckTarget;
  state: CheckState;
  failures: number;
  looks: number;
  /** When a failed check may run again, in milliseconds since the epoch. */
  dueAt: number;
  readonly abort: AbortController;
}

export function createSelfChecks(options: SelfChecksOptions): SelfChecks {
  const { probe, port, clock, deadlineMs = 10_000, concurrency = 64 } = options;
  const checks = new Map<string, Check>();
  const listeners = new Set<(key: ObjectKey) => void>();
  const waiting: Check[] = [];
  let young = 0;
  let running = 0;

  function enqueue(check: Check): void {
    // Those that failed before come after those that did not, and those that look again after those that have not looked.
    const at = waiting.findIndex(
      other =>
        other.failures > check.failures || (other.failures === check.failures && other.looks > check.looks),
    );
    waiting.splice(at < 0 ? waiting.length : at, 0, check);
    startNext();
  }

  function startNext(): void {
    while (young < concurrency && running < mostRunning) {
      const check = waiting.shift();
      if (check === undefined) return;
      if (!check.abort.signal.aborted) void run(check);
    }
  }

  async function run(check: Check): Promise<void> {
    young += 1;
    running += 1;
    let isYoung = true;
    const grow = (): void => {
      if (!isYoung) return;
      isYoung = false;
      young -= 1;
      startNext();
    };
    const cancelGrowth = clock.after(youngMs, grow);
    if (check.failures === 0 && check.looks === 0) sayWhenSlow(check);
    // Not AbortSignal.any, which costs more than the rest of the check's bookkeeping.
    const attempt = new AbortController();
    const giveUp = (): void => attempt.abort(givenUp);
    const cancelDeadline = clock.after(deadlineMs, giveUp);
    check.abort.signal.addEventListener('abort', giveUp, { once: true });
    try {
      const outcome = await probe(check.target, attempt.signal);
      if (!check.abort.signal.aborted) settle(check, outcome.found ? undefined : outcome);
    } catch {
      // A probe does not throw; if it did, the check must not hang.
      if (!check.abort.signal.aborted) settle(check, { kind: 'timeout', at: undefined });
    } finally {
      cancelGrowth();
      cancelDeadline();
      check.abort.signal.removeEventListener('abort', giveUp);
      running -= 1;
      grow();
      startNext();
    }
  }

  function settle(check: Check, failure: ProbeFailure | undefined): void {
    if (failure === undefined) {
      check.state = { state: 'passed' };
      tell(check);
      return;
    }
    const look = firstLooksMs[check.looks];
    if (look !== undefined && mayComeSoon(failure)) {
      check.looks += 1;
      const cancel = clock.after(look, () => enqueue(check));
      check.abort.signal.addEventListener('abort', cancel, { once: true });
      return;
    }
    check.looks = firstLooksMs.length;
    check.failures += 1;
    const retryAfterMs = backoffDelayMs(betweenFailures, check.failures);
    check.dueAt = clock.now() + retryAfterMs;
    check.state = { state: 'failed', ...explainProbe(failure, check.target, port), retryAfterMs };
    tell(check);
  }

  /** The first try has its turn among others until it is slow: whoever looks on from then on knows that it may be dead. */
  function sayWhenSlow(check: Check): void {
    const cancel = clock.after(youngMs, () => {
      if (check.failures > 0 || check.state.state !== 'running') return;
      check.state = { state: 'running', isSlow: true };
      tell(check);
    });
    check.abort.signal.addEventListener('abort', cancel, { once: true });
  }

  function tell({ target }: Check): void {
    for (const listener of listeners) listener(target.key);
  }

  function forget(id: string): void {
    checks.get(id)?.abort.abort(givenUp);
    checks.delete(id);
  }

  function begin(target: SelfCheckTarget): Check {
    const check: Check = {
      target,
      state: { state: 'running' },
      failures: 0,
      looks: 0,
      dueAt: 0,
      abort: new AbortController(),
    };
    checks.set(target.id, check);
    enqueue(check);
    return check;
  }

  return {
    poll(target) {
      const check = checks.get(target.id);
      if (check === undefined) return begin(target).state;
      if (!isSame(check.target, target)) {
        forget(target.id);
        return begin(target).state;
      }
      if (check.state.state !== 'failed') return check.state;
      const leftMs = check.dueAt - clock.now();
      // More left than the whole wait: the clock was set back, and nobody knows how much of it is over.
      const isWaiting = leftMs > 0 && leftMs <= backoffDelayMs(betweenFailures, check.failures);
      if (isWaiting) return { ...check.state, retryAfterMs: leftMs };
      const { reason, fix } = check.state;
      check.state = { state: 'running', last: { reason, fix } satisfies CheckFailure };
      enqueue(check);
      return check.state;
    },
    forget,
    onSettled(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stop() {
      for (const id of checks.keys()) forget(id);
    },
  };
}

/** Whether it looks as if the path were only not taken up yet. */
function mayComeSoon({ kind }: ProbeFailure): boolean {
  return (
    kind === 'status' || kind === 'mismatch' || kind === 'connect' || kind === 'redirect' || kind === 'broken'
  );
}

function isSame(a: SelfCheckTarget, b: SelfCheckTarget): boolean {
  return a.host === b.host && a.token === b.token && a.keyAuthorization === b.keyAuthorization;
}

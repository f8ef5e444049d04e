import { type BackoffPolicy, backoffDelayMs } from '../core/backoff.ts';
import type { Clock } from '../core/clock.ts';
import { AcmeError } from './errors.ts';

/**
 * Keeps the requests of one ACME account from the endpoints that have asked to be left alone. Nothing waits here: a
 * request that comes too early is refused at once, with the time it may come again. In memory alone: a restart asks
 * the server once more.
 */
export interface EndpointGates {
  /**
   * Takes note of a request to an endpoint. What it gives must be called with how the request went. Throws the
   * AcmeError that closed the endpoint, with what is left of its time, where the request may not go out now.
   */
  enter(endpoint: string): (outcome: GateOutcome) => void;
}

/** `done`: answered; `lost`: no answer; an error: the server asked to wait, and for how long where that says it. */
export type GateOutcome = 'done' | 'lost' | AcmeError;

/*
 *   open --429, 503 with Retry-After--> closed --(time is over)--> ajar: one request at a time
 *    ^                                    ^                          |    |
 *    |                                    +--------- the same -------+    | each success: twice as many
 *    +---------------------------------------------- more than 32 --------+
 */
interface Gate {
  /** What closed it last. */
  error: AcmeError;
  openAtMs: number;
  /** How long it was closed for. */
  waitMs: number;
  isClosed: boolean;
  cancel: () => void;
  /** So many requests at once may go through while it is ajar. */
  mostAtOnce: number;
  underWay: number;
  /** How many were refused since it was closed last. */
  refused: number;
  /** How many times in a row it was closed. */
  closings: number;
}

/** How long to wait where a server that limits does not say. */
const unnamed: BackoffPolicy = { baseMs: 5_000, capMs: 15 * 60_000 };
/** More than this many are hardly ever under way at once. */
const openFrom = 32;
/** Those who wait come back one after another, so that what the server lets through is not asked for all at once. */
const [stepMs, longestSpreadMs] = [20, 10_000];
/** While the first ones try how much the server takes, the others come back after this. */
const ajarMs = 500;

export interface EndpointGatesOptions {
  readonly clock: Clock;
  /** Told when an endpoint is closed, and until when (milliseconds since the epoch). */
  readonly onClose?: ((endpoint: string, untilMs: number, error: AcmeError) => void) | undefined;
}

/** Gates that are all open. */
export function createEndpointGates({ clock, onClose }: EndpointGatesOptions): EndpointGates {
  const gates = new Map<string, Gate>();

  function refusal(gate: Gate): AcmeError | undefined {
    if (gate.isClosed && clock.now() >= gate.openAtMs) open(gate);
    if (gate.isClosed) {
      const spreadMs = Math.min(longestSpreadMs, gate.refused * stepMs);
      gate.refused += 1;
      // Never more than the whole wait, although somebody sets the clock back.
      return again(gate, Math.min(gate.waitMs, gate.openAtMs - clock.now()) + spreadMs);
    }
    return gate.underWay < gate.mostAtOnce ? undefined : again(gate, ajarMs);
  }

  function again({ error, openAtMs }: Gate, retryAfterMs: number): AcmeError {
    const { code, message, status, problem } = error;
    return new AcmeError(code, message, { status, problem, retryAfterMs, retryAtMs: openAtMs });
  }

  function open(gate: Gate): void {
    gate.cancel();
    gate.isClosed = false;
    gate.mostAtOnce = 1;
    gate.refused = 0;
  }

  function close(endpoint: string, error: AcmeError): void {
    const known = gates.get(endpoint);
    // Of several answers that were under way together, the first closes it; a later one may prolong that.
    const closings = (known?.closings ?? 0) + (known?.isClosed === true ? 0 : 1);
    const waitMs = error.retryAfterMs ?? backoffDelayMs(unnamed, closings);
    const openAtMs = clock.now() + waitMs;
    if (known?.isClosed === true && openAtMs <= known.openAtMs) return;
    known?.cancel();
    const gate = known ?? { mostAtOnce: 1, underWay: 0, refused: 0 };
    const closed: Gate = Object.assign(gate, {
      error,
      openAtMs,
      waitMs,
      closings,
      isClosed: true,
      cancel: () => {},
    });
    // The timer opens it in time although somebody sets the clock back.
    closed.cancel = clock.after(waitMs, () => open(closed));
    gates.set(endpoint, closed);
    onClose?.(endpoint, openAtMs, error);
  }

  return {
    enter(endpoint) {
      const gate = gates.get(endpoint);
      const refused = gate && refusal(gate);
      if (refused !== undefined) throw refused;
      if (gate !== undefined) gate.underWay += 1;
      return outcome => {
        if (gate !== undefined) gate.underWay -= 1;
        if (outcome instanceof AcmeError) close(endpoint, outcome);
        else if (outcome === 'done' && gate !== undefined && !gate.isClosed) {
          gate.mostAtOnce *= 2;
          if (gate.mostAtOnce > openFrom && gates.get(endpoint) === gate) gates.delete(endpoint);
        }
      };
    },
  };
}

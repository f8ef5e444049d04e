import type { Clock } from '../../core/clock.ts';
import type { ConnectionFacts } from '../policy/request-head.ts';
import type { ServingParts } from '../protocol-server.ts';
import { RateGate } from '../rate-gate.ts';
import { recordRefusal } from './request-log.ts';

const logIntervalMs = 10_000;

/**
 * Tells of what was refused before it was a request, of one protocol: each is counted and comes into the access log, and one
 * of a kind in a while into the log, since whoever connects can bring it about as often as it pleases.
 */
export class Refusals {
  readonly #parts: Pick<ServingParts, 'metrics' | 'accessLog' | 'logger'>;
  readonly #protocol: string;
  readonly #logGate: RateGate;

  constructor(
    parts: Pick<ServingParts, 'metrics' | 'accessLog' | 'logger'>,
    protocol: 'HTTP/1.1' | 'HTTP/2',
    clock: Clock,
  ) {
    this.#parts = parts;
    this.#protocol = protocol;
    this.#logGate = new RateGate(clock, logIntervalMs);
  }

  /** `reason` is one of a small set, and holds nothing that the client sent; `status` is 0 where the connection is cut. */
  record(refusal: { readonly status: number; readonly reason: string }, connection: ConnectionFacts): void {
    const { metrics, accessLog, logger } = this.#parts;
    const { status, reason } = refusal;
    metrics.refused(reason);
    recordRefusal(accessLog, refusal, connection);
    if (!this.#logGate.passes(reason)) return;
    logger.warn('a request was refused', {
      reason,
      status,
      client: connection.clientAddress,
      protocol: this.#protocol,
    });
  }
}

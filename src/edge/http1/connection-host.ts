import type { CheckedHead, ConnectionFacts } from '../policy/request-head.ts';
import type { TimerWheel } from '../timers/timer-wheel.ts';
import type { TurnQueue } from '../timers/turn-queue.ts';
import type { ServerConnection } from './server-connection.ts';
import type { ServerExchange } from './server-exchange.ts';
import type { WriteMemory } from './write-memory.ts';

/** What the connections of one server share. */
export interface ConnectionHost {
  readonly wheel: TimerWheel;
  /** For the first requests of connections: those that have been served go first. */
  readonly firstRequests: TurnQueue;
  readonly memory: WriteMemory;
  /** For bytes that are done with as soon as they are written. */
  readonly scratch: Buffer;
  readonly timeouts: {
    readonly headMs: number;
    readonly idleMs: number;
    readonly keepAliveMs: number;
    readonly tunnelMs: number;
  };
  readonly limits: {
    readonly headBytes: number;
    readonly headers: number;
    readonly target: number;
    readonly requestsPerConnection: number;
  };
  readonly draining: boolean;
  /** While draining: how long a client that was told of no end may still send a request. */
  readonly lastRequestMs: number;
  serve(exchange: ServerExchange, head: CheckedHead): void;
  /** What came was no request, or an ambiguous one; or it did not come in time. */
  refused(refusal: { readonly status: number; readonly reason: string }, facts: ConnectionFacts): void;
  closed(connection: ServerConnection): void;
  /** An error of ours: it costs this connection, and never the process. */
  failed(error: unknown): void;
}

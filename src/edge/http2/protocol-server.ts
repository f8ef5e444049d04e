import type { Socket } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import type { ServeRequest } from '../exchange/ports.ts';
import { Refusals } from '../exchange/refusals.ts';
import type { ConnectionFacts } from '../policy/request-head.ts';
import type { ProtocolServer, ServingParts } from '../protocol-server.ts';
import { watchStreamEnds } from './end-of-stream.ts';
import { ServerSession, type SessionParts } from './server-session.ts';
import { serverSessionOptions } from './session-options.ts';

/** What the time-outs are counted in, in milliseconds. */
const tickMs = 1_000;

/** Serves clients' connections that chose `h2` by ALPN, on Node's `http2`. */
export function createHttp2Server(
  parts: Pick<ServingParts, 'limits' | 'timeouts' | 'metrics' | 'accessLog' | 'logger'>,
  serve: ServeRequest,
  clock: Clock,
): ProtocolServer {
  watchStreamEnds();
  const { limits, timeouts } = parts;
  const refusals = new Refusals(parts, 'HTTP/2', clock);
  const ticks = { now: 0 };
  const inTicks = (ms: number): number => Math.max(1, Math.ceil(ms / tickMs));
  const sessionParts: SessionParts = {
    serve,
    limits,
    options: serverSessionOptions(limits),
    ticks,
    silence: inTicks(timeouts.idleMs),
    firstRequest: inTicks(timeouts.headMs),
    idle: inTicks(timeouts.keepAliveMs),
    refused: (facts, reason, status) => refusals.record({ status, reason }, facts),
  };
  const sessions = new Set<ServerSession>();
  let draining = false;
  let ticking: (() => void) | undefined;

  const tick = (): void => {
    ticks.now += 1;
    for (const session of sessions) session.sweep();
    ticking = sessions.size === 0 ? undefined : clock.after(tickMs, tick);
  };

  return {
    take(socket: Socket, facts: ConnectionFacts) {
      let session: ServerSession;
      try {
        session = new ServerSession(socket, facts, sessionParts, () => sessions.delete(session));
      } catch {
        // The socket went before the session came.
        socket.destroy();
        return;
      }
      sessions.add(session);
      if (draining) session.serveOne();
      ticking ??= clock.after(tickMs, tick);
    },
    drain() {
      draining = true;
      for (const session of sessions) session.drain();
    },
    close() {
      for (const session of sessions) session.cut();
      ticking?.();
      ticking = undefined;
    },
  };
}

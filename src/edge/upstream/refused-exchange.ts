import { messageOf } from '../../core/errors.ts';
import type { UpstreamExchange, UpstreamListener } from '../exchange/ports.ts';

/** An exchange for an upstream whose TLS settings the library refuses: nothing is sent, and the client gets 503. */
export function refusedExchange(error: unknown, listener: UpstreamListener): UpstreamExchange {
  const failure = {
    status: 503,
    code: 'EDGE_UPSTREAM_TLS_INVALID',
    message: messageOf(error),
    verification: true,
  } as const;
  process.nextTick(() => listener.failed(failure, true));
  return { abort: () => {} };
}

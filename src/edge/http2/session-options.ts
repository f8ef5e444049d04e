import type { ServerSessionOptions } from 'node:http2';
import type { EdgeLimits } from '../limits.ts';

/** Requests given up by a client, or made void by its own errors: at once, and for each second. */
export const resetBounds = Object.freeze({ burst: 400, perTick: 50 });

/** CONTINUATION frames of one header section: with its first frame they hold 144 KiB. nghttp2 takes no more either. */
export const mostContinuations = 8;

/** Pings and changed settings, together. */
export const controlBounds = Object.freeze({ burst: 100, perTick: 20 });

/** Bytes of a request's body that are taken before somebody wants them, for each stream and for a connection. */
export const streamWindow = 262_144;
export const connectionWindow = 1_048_576;

/** Bytes that wait for a client to take them: for each answer, and for all of a connection as far as that goes. */
export const leastRoom = 65_536;
export const mostRoom = 262_144;
export const sessionRoom = 1_048_576;

/** What Node and nghttp2 bound for a client's connection. Each is held by a test in `floods.test.ts`. */
export function serverSessionOptions(limits: EdgeLimits): ServerSessionOptions {
  return {
    settings: {
      maxConcurrentStreams: limits.streams,
      initialWindowSize: streamWindow,
      // By HTTP/2's count a field has 32 bytes more than its text (RFC 9113 section 6.5.2).
      maxHeaderListSize: limits.headBytes + 32 * limits.headers,
      enableConnectProtocol: false,
    },
    // A few more than are allowed, so that most who exceed are answered 431 instead of being reset.
    maxHeaderListPairs: limits.headers + 20,
    maxDeflateDynamicTableSize: 4_096,
    maxSessionMemory: 10,
    maxOutstandingPings: 10,
    maxSettings: 32,
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    streamResetBurst: resetBounds.burst,
    streamResetRate: resetBounds.perTick,
    strictSingleValueFields: false,
  };
}

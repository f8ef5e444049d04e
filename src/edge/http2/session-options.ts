import type { ServerSessionOptions } from 'node:http2';
import type { EdgeLimits } from '../limits.ts';
import type { FloodBounds } from './flood-guard.ts';

/** Requests given up by a client, or made void by its own errors: at once, and an eighth of that for each second. */
export function resetBounds({ resets }: Pick<EdgeLimits, 'resets'>): FloodBounds {
  return { burst: resets, perTick: Math.ceil(resets / 8) };
}

/** A connection that resets more requests than these is read slowly, so many requests at once. */
export const restlessBounds = Object.freeze({ burst: 16, perTick: 16 });
export const requestsOfRestless = 16;

/** CONTINUATION frames of one header section: with its first frame they hold 144 KiB. nghttp2 takes no more either. */
export const mostContinuations = 8;

/** Pings and changed settings, together: at once, and a fifth of that for each second. */
export function controlBounds({ controlFrames }: Pick<EdgeLimits, 'controlFrames'>): FloodBounds {
  return { burst: controlFrames, perTick: Math.ceil(controlFrames / 5) };
}

/** Bytes of a request's body that are taken before somebody wants them, for each stream and for a connection. */
export const streamWindow = 262_144;
export const connectionWindow = 1_048_576;

/** Bytes that wait for a client to take them: for each answer, and for all of a connection as far as that goes. */
export const leastRoom = 65_536;
export const mostRoom = 262_144;
export const sessionRoom = 1_048_576;

/** What Node and nghttp2 bound for a client's connection. Each is held by a test in `floods.test.ts`. */
export function serverSessionOptions(limits: EdgeLimits): ServerSessionOptions {
  const resets = resetBounds(limits);
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
    streamResetBurst: resets.burst,
    streamResetRate: resets.perTick,
    strictSingleValueFields: false,
  };
}

import { subscribe } from 'node:diagnostics_channel';
import type { Http2Stream } from 'node:http2';

/**
 * Streams that were closed before the peer had said that its body was complete. Node emits 'end' for some of them all the
 * same (a reset with NO_ERROR or CANCEL, a connection that went), so that a body that was cut would pass for a whole one.
 */
const cut = new WeakSet<Http2Stream>();
let watched = false;

/** Begins to watch how streams of this process end. To be called before the first one is opened. */
export function watchStreamEnds(): void {
  if (watched) return;
  watched = true;
  subscribe('http2.client.stream.close', note);
  subscribe('http2.server.stream.close', note);
}

function note(message: unknown): void {
  const { stream } = message as { stream: Http2Stream & { _readableState?: { ended?: boolean } } };
  // Node has no public word for "END_STREAM has come, but is not read yet".
  // oxlint-disable-next-line no-underscore-dangle
  if (stream._readableState?.ended !== true) cut.add(stream);
}

/** Whether the stream was closed before the peer's END_STREAM. */
export function wasCut(stream: Http2Stream): boolean {
  return cut.has(stream);
}

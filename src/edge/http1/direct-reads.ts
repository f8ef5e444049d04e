import type { Socket } from 'node:net';

/**
 * Hands each read of a socket straight to `receive`, and the end of what the peer sends as null; `receive` gives whether more
 * may come at once. The stream's own buffering, events and ticks would cost as much as the parsing of a request. This stands
 * on what is documented of streams: a socket gives what it read to its `push`, and reads on while that gives true. What had
 * been read before is handed over first.
 */
export function readDirectly(socket: Socket, receive: (chunk: Buffer | null) => boolean): void {
  const early = socket.readableLength > 0 ? (socket.read() as Buffer | null) : null;
  socket.push = (chunk: unknown): boolean => receive(chunk as Buffer | null);
  const more = early === null || receive(early);
  if (socket.readableEnded) receive(null);
  else if (more) readOn(socket);
}

/** Reads on after `receive` gave false. */
export function readOn(socket: Socket): void {
  // oxlint-disable-next-line no-underscore-dangle -- the counterpart of `push`: what a stream calls when it wants more
  if (!socket.destroyed) socket._read(0);
}

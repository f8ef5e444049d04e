import type { Socket } from 'node:net';

/**
 * Reads the first bytes of a connection without taking them from who comes after. `look` is given all that has come so far,
 * as often as more comes, and gives how many bytes of it are done with, or undefined where it needs more; the rest is put
 * back, and `done` is called with no listener of ours left. A connection that ends before is destroyed.
 */
export function readAhead(
  socket: Socket,
  look: (bytes: Buffer) => number | undefined,
  done: () => void,
): void {
  let held: Buffer | undefined;
  const onReadable = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    held = held === undefined ? chunk : Buffer.concat([held, chunk]);
    const consumed = look(held);
    if (socket.destroyed) return;
    if (consumed === undefined) return;
    socket.off('readable', onReadable);
    socket.off('end', onEnd);
    if (consumed < held.length) socket.unshift(held.subarray(consumed));
    done();
  };
  const onEnd = (): void => void socket.destroy();
  socket.on('readable', onReadable);
  socket.on('end', onEnd);
}

/** Throws an AbortError where the signal has been given. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  const { reason } = signal as { reason: unknown };
  if (reason instanceof Error && reason.name === 'AbortError') throw reason;
  throw new DOMException('The call was given up by its caller', 'AbortError');
}

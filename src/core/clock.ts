/** Time as the program sees it. Injected, so that a test decides what time it is. */
export interface Clock {
  /** The present instant, in milliseconds since the epoch. */
  now(): number;
  /** Calls `callback` once after `delayMs`. The timer never keeps the process alive. Returns its canceller. */
  after(delayMs: number, callback: () => void): () => void;
}

/** Node's timers fire at once for delays above 2^31-1 ms; longer ones are waited for in steps. */
const longestTimerMs = 2 ** 31 - 1;

function afterOnSystem(delayMs: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (leftMs: number): void => {
    const stepMs = Math.min(Math.max(0, leftMs), longestTimerMs);
    timer = setTimeout(() => (leftMs > stepMs ? arm(leftMs - stepMs) : callback()), stepMs);
    timer.unref();
  };
  arm(delayMs);
  return () => clearTimeout(timer);
}

/** The clock of the machine. */
export const systemClock: Clock = Object.freeze({ now: () => Date.now(), after: afterOnSystem });

/** An instant as Kubernetes writes it in `metav1.Time`: RFC 3339, UTC, whole seconds. */
export function rfc3339(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
}

/** An instant as Kubernetes writes it in `metav1.MicroTime`: RFC 3339, UTC, six fractional digits. */
export function rfc3339Micro(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 23)}000Z`;
}

/** What the queue does with a failed reconcile: back off, wait a stated time, or wait for a change. */
export type Retry = 'backoff' | 'after' | 'never';

/** What an error is made of. */
export interface PosternErrorOptions {
  /** A stable, upper-case identifier, listed in docs/errors.md. */
  readonly code: string;
  readonly retry?: Retry;
  /** With `retry: 'after'`: how long to wait, in milliseconds. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/**
 * The base of every error that Postern raises on purpose. Its message is written for a user: it names
 * the field, the value and the fix. It never holds a private key, a token or another side's answer in full.
 */
export class PosternError extends Error {
  readonly code: string;
  readonly retry: Retry;
  readonly retryAfterMs: number | undefined;

  constructor(message: string, options: PosternErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = options.code;
    this.retry = options.retry ?? 'backoff';
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Something the user must change first; trying again as it is would change nothing. */
export class TerminalError extends PosternError {
  constructor(message: string, options: { code: string; cause?: unknown }) {
    super(message, { ...options, retry: 'never' });
  }
}

/** How an error is to be tried again. Unknown errors are transient, never terminal. */
export function retryOf(error: unknown): { retry: Retry; retryAfterMs: number | undefined } {
  if (error instanceof PosternError) return { retry: error.retry, retryAfterMs: error.retryAfterMs };
  return { retry: 'backoff', retryAfterMs: undefined };
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

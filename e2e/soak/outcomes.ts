/** A request, or a message, that went wrong. */
export interface Failure {
  readonly kind: string;
  readonly why: string;
  /** The client's port of its connection; 0 where there was none yet. */
  readonly localPort: number;
  /** When its connection was begun and when it failed, by `performance.now()`. */
  readonly connectedMs: number;
  readonly atMs: number;
}

/** What the clients have seen. */
export class Outcomes {
  readonly counts = new Map<string, number>();
  readonly failures: Failure[] = [];
  /** Times of the last requests of each kind, in milliseconds. */
  readonly times: number[] = [];

  succeeded(kind: string, ms: number): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    this.times.push(ms);
    if (this.times.length > 200_000) this.times.splice(0, 100_000);
  }

  failed(failure: Failure): void {
    if (this.failures.length < 10_000) this.failures.push(failure);
  }
}

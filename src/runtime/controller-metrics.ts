/** What one controller reports about itself. Called synchronously; must not throw. */
export interface ControllerMetrics {
  /** A reconcile ended, however. */
  reconciled(outcome: 'success' | 'error' | 'conflict' | 'aborted', durationMs: number): void;
  queueDepth(keys: number): void;
  /** A key was handed to a worker `waitedMs` after it fell due. */
  queueWaited(waitedMs: number): void;
  queueRetried(): void;
}

/** Reports to nobody. */
export const noControllerMetrics: ControllerMetrics = Object.freeze({
  reconciled: () => {},
  queueDepth: () => {},
  queueWaited: () => {},
  queueRetried: () => {},
});

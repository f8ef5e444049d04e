/** One thing that can be wrong. `problem` says what is, in a few words, or gives undefined; it must be quick. */
export interface HealthCheck {
  readonly name: string;
  problem(): string | undefined;
}

/** What an endpoint answers: all checks by name, those that fail with their problem. */
export interface HealthReport {
  readonly healthy: boolean;
  /** One line a check, `[+]name ok` or `[-]name failed: problem`, as Kubernetes components write it. */
  readonly text: string;
}

/** Runs the checks. One that throws has failed. */
export function reportHealth(checks: readonly HealthCheck[]): HealthReport {
  const results = checks.map(check => {
    try {
      return { name: check.name, problem: check.problem() };
    } catch {
      return { name: check.name, problem: 'the check itself failed' };
    }
  });
  const healthy = results.every(({ problem }) => problem === undefined);
  const lines = results.map(({ name, problem }) =>
    problem === undefined ? `[+]${name} ok` : `[-]${name} failed: ${problem.replaceAll('\n', ' ')}`,
  );
  return { healthy, text: [...lines, healthy ? 'ok' : 'not ok', ''].join('\n') };
}

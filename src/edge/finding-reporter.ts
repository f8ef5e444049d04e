import type { KubeObject } from '../api/meta.ts';
import type { Clock } from '../core/clock.ts';
import type { EventRecorder } from '../kube/events.ts';
import { type Finding, type FindingReason, findingReasons } from './finding.ts';

/** True for a moment in the life of every new site: these are told only once they have lasted. */
const passing: ReadonlySet<FindingReason> = new Set<FindingReason>([
  findingReasons.secretNotFound,
  findingReasons.secretInvalid,
  findingReasons.certificateMismatch,
  findingReasons.serviceNotFound,
  findingReasons.servicePortNotFound,
  findingReasons.canaryWithoutMain,
]);

export interface FindingReporterOptions {
  readonly events: Pick<EventRecorder, 'warning'>;
  readonly clock: Clock;
  /** How long a finding that may pass by itself has to last. */
  readonly graceMs: number;
}

interface Standing {
  cancel: () => void;
}

/**
 * Turns findings into Warning events: one for each, however often the table is compiled. A finding that went away and
 * comes back is a new one.
 */
export class FindingReporter {
  readonly #options: FindingReporterOptions;
  #reported: readonly Finding[] | undefined;
  #standing = new Map<string, Standing>();
  /** Most findings are there in one list after the other. */
  readonly #keys = new WeakMap<Finding, string>();

  constructor(options: FindingReporterOptions) {
    this.#options = options;
  }

  /** Takes over what holds now. The same list again costs nothing. */
  report(findings: readonly Finding[]): void {
    if (findings === this.#reported) return;
    this.#reported = findings;
    const before = this.#standing;
    this.#standing = new Map();
    for (const finding of findings) {
      const key = this.#keyOf(finding);
      if (this.#standing.has(key)) continue;
      this.#standing.set(key, before.get(key) ?? this.#begin(finding));
      before.delete(key);
    }
    for (const { cancel } of before.values()) cancel();
  }

  /** Reports nothing more. */
  stop(): void {
    for (const { cancel } of this.#standing.values()) cancel();
    this.#standing.clear();
  }

  #keyOf(finding: Finding): string {
    const known = this.#keys.get(finding);
    if (known !== undefined) return known;
    const key = `${identityOf(finding.object)} ${finding.reason} ${finding.message}`;
    this.#keys.set(finding, key);
    return key;
  }

  #begin(finding: Finding): Standing {
    const standing: Standing = { cancel: () => {} };
    const tell = (): void => {
      this.#options.events.warning(finding.object, finding.reason, finding.message);
    };
    if (passing.has(finding.reason)) standing.cancel = this.#options.clock.after(this.#options.graceMs, tell);
    else tell();
    return standing;
  }
}

function identityOf({ kind, metadata }: KubeObject): string {
  return metadata.uid ?? `${kind ?? ''} ${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}

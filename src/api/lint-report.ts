/**
 * How much a finding of `postern lint` means: the object, or a part of it, is not of the form of its kind (`invalid`); it is,
 * and is not done (`refused`); it is done in another way (`differs`); or it is good to know (`note`).
 */
export type LintSeverity = 'invalid' | 'refused' | 'differs' | 'note';

/** A file that is looked at. */
export interface LintFile {
  /** As the user calls it. */
  readonly name: string;
  readonly text: string;
}

/** One thing to know about an object of a file. */
export interface LintFinding {
  readonly severity: LintSeverity;
  /** `Ingress shop/web`, or `''` for a file that cannot be read. */
  readonly object: string;
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  /** As in the reason of an event. */
  readonly reason: string;
  /** Names the field, the value and the fix. */
  readonly message: string;
}

export interface LintReport {
  /** By file and line, those of one object together. */
  readonly findings: readonly LintFinding[];
  /** Objects that were looked at. */
  readonly objects: number;
  /** `Secret shop/web-tls`: not in the files, and taken for what they should be. */
  readonly assumed: readonly string[];
}

/** What the files are judged for. */
export interface LintOptions {
  /** --ingress-class of the Postern that is to serve them. */
  readonly ingressClasses: readonly string[];
  readonly nowMs: number;
}

/** Something that the edge has to say about an object that is there. */
export interface EdgeRemark {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** As in the reason of its event. */
  readonly reason: string;
  readonly message: string;
}

/** Of which objects, and for which Postern. */
export interface EdgeRemarkOptions {
  /** Undefined: all. */
  readonly namespace: string | undefined;
  /** The objects are those of a state folder. */
  readonly standalone: boolean;
  /** --ingress-class of the Postern that serves them. */
  readonly ingressClasses: readonly string[];
  readonly nowMs: number;
}

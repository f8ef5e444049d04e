import type { LintFile, LintFinding, LintOptions, LintReport } from '../api/lint-report.ts';
import { assumedSnapshot } from './assumed-objects.ts';
import { certificateFindings } from './certificate-findings.ts';
import { declaredIn } from './declared.ts';
import { edgeFindings } from './edge-findings.ts';

/** Reasons of findings that a schema has already said, where it refused the object. */
const ofSchema: ReadonlySet<string> = new Set([
  'InvalidIngress',
  'InvalidHost',
  'InvalidPath',
  'InvalidMapping',
  'InvalidTLSContext',
  'InvalidCertificate',
]);

/**
 * What Postern would make of manifests: what is refused, what is served in another way than by those that they were written
 * for, and why. Pure: without a cluster, and without the objects that are not in the files.
 */
export function lintManifests(files: readonly LintFile[], options: LintOptions): LintReport {
  const { objects, findings } = declaredIn(files);
  // What the schema says of an object the rest need not say again.
  const broken = new Set(
    findings.filter(({ severity }) => severity === 'invalid').map(({ object }) => object),
  );
  const { snapshot, assumed } = assumedSnapshot(objects);
  const judged = [...edgeFindings(objects, snapshot, options), ...certificateFindings(objects)];
  const further = judged.filter(({ object, reason }) => !broken.has(object) || !ofSchema.has(reason));
  const all = [...findings, ...further];
  return { findings: inOrder(distinct(all), files), objects: objects.length, assumed: assumed() };
}

function distinct(findings: readonly LintFinding[]): LintFinding[] {
  const byText = new Map(
    findings.map(finding => [
      `${finding.file} ${finding.line} ${finding.object} ${finding.message}`,
      finding,
    ]),
  );
  return [...byText.values()];
}

/** By file as given; objects where their first finding stands, and their findings by place. */
function inOrder(findings: readonly LintFinding[], files: readonly LintFile[]): LintFinding[] {
  const order = new Map(files.map(({ name }, index) => [name, index]));
  const rank = { invalid: 0, refused: 1, differs: 2, note: 3 };
  const byPlace = (a: LintFinding, b: LintFinding): number =>
    (order.get(a.file) ?? 0) - (order.get(b.file) ?? 0) ||
    a.line - b.line ||
    rank[a.severity] - rank[b.severity];
  const sorted = findings.toSorted(byPlace);
  const groups = Map.groupBy(sorted, ({ file, object }) => `${file} ${object}`);
  return [...groups.values()].flat();
}

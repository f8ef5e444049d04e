import type { LintFinding, LintReport, LintSeverity } from '../../api/lint-report.ts';
import { type Cell, painted, printable } from '../status/table.ts';

const colours: Readonly<Record<LintSeverity, Cell['colour']>> = {
  invalid: 'red',
  refused: 'red',
  differs: 'yellow',
  note: undefined,
};

/** The report for programs. */
export function lintJson(report: LintReport): string {
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

/** The report for people: objects, and below each a line for a finding. */
export function lintText({ findings, objects, assumed }: LintReport, isColoured: boolean): string {
  const groups = Map.groupBy(findings, ({ file, object }) => `${file} ${object}`);
  const blocks = [...groups.values()].map(group => blockText(group, isColoured));
  return [...blocks, summary(findings, objects), ...assumedText(assumed)].join('\n');
}

function blockText(findings: readonly LintFinding[], isColoured: boolean): string {
  const [first] = findings;
  const object = first === undefined || first.object === '' ? (first?.file ?? '') : first.object;
  const lines = findings.map(({ severity, file, line, message }) => {
    const verdict = painted(severity.padEnd(7), colours[severity], isColoured);
    return `  ${verdict}  ${printable(`${file}:${line}`)}  ${printable(message)}`;
  });
  return `${printable(object)}\n${lines.join('\n')}\n`;
}

function summary(findings: readonly LintFinding[], objects: number): string {
  const count = (severity: LintSeverity): number => findings.filter(one => one.severity === severity).length;
  const looked = `${objects} ${objects === 1 ? 'object' : 'objects'}`;
  const parts = [
    `${count('invalid')} invalid`,
    `${count('refused')} refused`,
    `${count('differs')} served differently`,
    `${count('note')} ${count('note') === 1 ? 'note' : 'notes'}`,
  ];
  return `${looked}: ${parts.join(', ')}\n`;
}

const mostNamed = 5;

function assumedText(assumed: readonly string[]): string[] {
  if (assumed.length === 0) return [];
  const more = assumed.length - mostNamed;
  const named = assumed.slice(0, mostNamed).map(printable).join(', ');
  return [`Not in the files, and taken to be right: ${named}${more > 0 ? `, and ${more} more` : ''}\n`];
}

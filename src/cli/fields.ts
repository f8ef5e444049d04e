import { printable } from './status/table.ts';

/** A heading, and below it facts in two columns. Facts without a value are left out. */
export function fieldsText(
  heading: string,
  fields: readonly (readonly [label: string, value: string | readonly string[] | null])[],
): string {
  const rows = fields.flatMap(([label, value]) => {
    const lines = typeof value === 'string' ? [value] : (value ?? []);
    return lines.map((line, index) => [index === 0 ? label : '', printable(line)] as const);
  });
  if (rows.length === 0) return '';
  const width = Math.max(...rows.map(([label]) => label.length));
  const lines = rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`.trimEnd());
  return `${printable(heading)}\n${lines.join('\n')}\n`;
}

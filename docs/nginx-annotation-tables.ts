import type { AnnotationRow } from '../src/edge/compile/nginx/annotation-row.ts';
import { annotationGroups } from '../src/edge/compile/nginx/annotation-rows.ts';

const begin = '<!-- begin: annotations -->';
const end = '<!-- end: annotations -->';

/** `text`, the content of docs/annotations-nginx.md, with its tables as the code has them. Throws where a marker is missing. */
export function withNginxTables(text: string): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from)
    throw new Error(`docs/annotations-nginx.md needs the lines "${begin}" and "${end}"`);
  const sections = Object.entries(annotationGroups).map(([title, rows]) => `### ${title}\n\n${table(rows)}`);
  return `${text.slice(0, from)}${begin}\n\n${sections.join('\n\n')}\n\n${text.slice(to)}`;
}

function table(rows: readonly AnnotationRow[]): string {
  const lines = rows.map(
    ({ name, support, values, help }) => `| \`${name}\` | ${support} | ${cell(values)} | ${cell(help)} |`,
  );
  return [
    '| annotation | | value | what it does, what is different, or why it is not done |',
    '|---|---|---|---|',
    ...lines,
  ].join('\n');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

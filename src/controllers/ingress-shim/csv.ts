/**
 * The fields of one line of comma-separated values. A field in double quotes may hold commas, and quotes written twice;
 * spaces are part of a field. Undefined where the text is no such line: a quote within a field, one that is not closed,
 * a line break. Source: RFC 4180, section 2, as strict as Go's package encoding/csv.
 */
export function parseCsvLine(text: string): string[] | undefined {
  const line = text.replace(/\r?\n$/, '');
  const fields: string[] = [];
  const field = /(?:"((?:[^"\r\n]|"")*)"|([^",\r\n]*))(,|$)/y;
  for (;;) {
    const match = field.exec(line);
    if (match === null) return undefined;
    const [, quoted, plain = '', end] = match;
    fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === '') return fields;
  }
}

/** What stands in a table: text, and the colour it has on a terminal. */
export interface Cell {
  readonly text: string;
  readonly colour?: 'green' | 'yellow' | 'red' | undefined;
}

const codes = { green: 32, yellow: 33, red: 31 } as const;

/** Names and messages come from users; a terminal would obey control characters in them. */
export const printable = (text: string): string => text.replaceAll(/\p{Cc}/gu, '?');

/** `text` in a colour. */
export function painted(text: string, colour: Cell['colour'], isColoured: boolean): string {
  return isColoured && colour !== undefined ? `\u001B[${codes[colour]}m${text}\u001B[0m` : text;
}

/** Rows below a heading, in columns as wide as their widest cell, without spaces at the end of lines. */
export function tableText(
  heading: readonly string[],
  rows: readonly (readonly Cell[])[],
  isColoured: boolean,
): string {
  const all = [heading.map((text): Cell => ({ text })), ...rows];
  const widths = heading.map((_, column) =>
    Math.max(...all.map(row => printable(row[column]?.text ?? '').length)),
  );
  const lines = all.map(row => {
    const last = row.length - 1;
    return row
      .map(({ text, colour }, column) => {
        const clean = printable(text);
        const gap = column === last ? '' : ' '.repeat((widths[column] ?? 0) - clean.length + 2);
        return painted(clean, colour, isColoured) + gap;
      })
      .join('');
  });
  return `${lines.join('\n')}\n`;
}

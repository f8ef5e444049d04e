import type { z } from 'zod';
import { type Setting, settingsOf } from './setting.ts';

/** `text` in lines of at most `columns`, each behind `indent`. A word is never broken. */
function wrapped(text: string, columns: number, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && indent.length + line.length + 1 + word.length > columns) {
      lines.push(indent + line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, indent + line];
}

function describe(setting: Setting, columns: number): string[] {
  const { facts, name, isSwitch } = setting;
  const byDefault = facts.defaultText ?? (facts.default === '' ? undefined : facts.default);
  const note =
    byDefault === undefined || (isSwitch && byDefault === 'false') ? '' : ` (default: ${byDefault})`;
  return [
    `  ${facts.short === undefined ? '' : `-${facts.short}, `}--${name}${facts.value === undefined ? '' : ` ${facts.value}`}`,
    ...wrapped(`${facts.help}${note}`, columns, '      '),
  ];
}

/** The flags of a table with their help, under their headings, in lines of at most `columns`. */
export function flagsHelp(table: z.ZodObject, columns = 90): string {
  const groups = Map.groupBy(settingsOf(table), ({ facts }) => facts.group);
  return [...groups]
    .map(([group, settings]) =>
      [`${group}:`, ...settings.flatMap(setting => describe(setting, columns))].join('\n'),
    )
    .join('\n\n');
}

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { approvalSettings } from '../src/config/approval-settings.ts';
import { inspectSettings } from '../src/config/inspect-settings.ts';
import { lintSettings } from '../src/config/lint-settings.ts';
import { renewSettings } from '../src/config/renew-settings.ts';
import { runSettings } from '../src/config/run-settings.ts';
import { type Setting, settingsOf } from '../src/config/setting.ts';
import { statusSettings } from '../src/config/status-settings.ts';
import { withAnnotationTables } from './annotation-tables.ts';
import { withNginxTables } from './nginx-annotation-tables.ts';

/**
 * Writes the tables of docs/configuration.md from the settings in src/config, and those of docs/annotations.md and
 * docs/annotations-nginx.md from the tables of annotations. With --check it writes nothing and ends with 1 where a file says something else.
 */
const files = [
  { name: 'configuration.md', withTables, source: 'src/config' },
  { name: 'annotations.md', withTables: withAnnotationTables, source: 'docs/annotation-tables.ts' },
  { name: 'annotations-nginx.md', withTables: withNginxTables, source: 'src/edge/compile/nginx' },
] as const;

/** The commands and their settings; each command has a pair of markers around its tables. */
export const settingsOfCommands = {
  run: runSettings,
  status: statusSettings,
  lint: lintSettings,
  inspect: inspectSettings,
  renew: renewSettings,
  approve: approvalSettings,
  deny: approvalSettings,
} as const;

/** Commands that share a table with another one. */
const shared: ReadonlySet<string> = new Set(['deny']);

/** `text`, the content of docs/configuration.md, with its tables as the settings have them. Throws where a marker is missing. */
export function withTables(text: string): string {
  return Object.entries(settingsOfCommands).reduce((before, [command, table]) => {
    if (shared.has(command)) return before;
    const [begin, end] = [`<!-- begin: settings of ${command} -->`, `<!-- end: settings of ${command} -->`];
    const [from, to] = [before.indexOf(begin), before.indexOf(end)];
    if (from < 0 || to < from)
      throw new Error(`docs/configuration.md needs the lines "${begin}" and "${end}"`);
    const settings = settingsOf(table);
    const tables = command === 'run' ? tablesByGroup(settings) : tableOf(settings);
    return `${before.slice(0, from)}${begin}\n\n${tables}\n\n${before.slice(to)}`;
  }, text);
}

/** One table for each group of settings, in their order. */
function tablesByGroup(settings: readonly Setting[]): string {
  const groups = Map.groupBy(settings, ({ facts }) => facts.group);
  return [...groups].map(([group, rows]) => `### ${group}\n\n${tableOf(rows)}`).join('\n\n');
}

function tableOf(settings: readonly Setting[]): string {
  const head = ['| flag, environment variable | default | what it is |', '|---|---|---|'];
  return [...head, ...settings.map(row)].join('\n');
}

function row(setting: Setting): string {
  const { facts, name, variable } = setting;
  const flag = `--${name}${facts.value === undefined ? '' : ` ${facts.value}`}`;
  const flags = facts.short === undefined ? `\`${flag}\`` : `\`-${facts.short}\`, \`${flag}\``;
  const names = facts.flagOnly === true ? flags : `${flags}<br>\`${variable}\``;
  return `| ${names} | ${cell(defaultOf(setting))} | ${cell(facts.help)} |`;
}

function defaultOf({ facts }: Setting): string {
  if (facts.defaultText !== undefined) return facts.defaultText;
  return facts.default === undefined || facts.default === '' ? 'none' : `\`${facts.default}\``;
}

/** Text that stays in its cell; flags, variables and paths in it as code, so that no `$` and `~` is read as markup. */
function cell(text: string): string {
  return text
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;')
    .replaceAll(
      /(?<![\w`-])(?:--[a-z][a-z0-9-]*|\$[A-Z_]+(?:\/\w+)*|~\/[\w./-]*\w|\/[a-z]+)(?![\w`])/g,
      '`$&`',
    );
}

if (import.meta.main) {
  for (const { name, withTables, source } of files) {
    const file = join(import.meta.dirname, name);
    const found = readFileSync(file, 'utf8');
    const wanted = withTables(found);
    if (found === wanted) continue;
    if (process.argv.includes('--check')) {
      console.error(`docs/${name} is not what ${source} says: run "node docs/generate.ts"`);
      process.exitCode = 1;
    } else {
      writeFileSync(file, wanted);
      console.log(`wrote docs/${name}`);
    }
  }
}

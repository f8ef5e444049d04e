import type { z } from 'zod';
import { messageOf } from '../core/errors.ts';
import { readEnvironment } from './read-environment.ts';
import { readConfigFile } from './read-file.ts';
import { type Given, readFlags } from './read-flags.ts';
import { type Setting, settingsOf } from './setting.ts';
import { UsageError } from './usage-error.ts';

/** Where settings come from. */
export interface SettingSources {
  /** The command line after the command's name. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Reads a text file; throws where it cannot. */
  readonly readFile: (path: string) => string;
}

export interface LoadSettingsOptions {
  /** The name of the setting that names the configuration file, where the command has one. */
  readonly fileSetting?: string;
  /** The environment variables of all commands. */
  readonly knownVariables: ReadonlySet<string>;
  /** What the command calls itself in a problem. */
  readonly command: string;
  /** Whether words that are no flags may stand on the command line. Default false: each is a problem. */
  readonly takesOperands?: boolean;
}

/** What was loaded. */
export interface LoadedSettings<T> {
  readonly settings: T;
  /** For each setting that was given, by its key: where it stood, as somebody would look for it. */
  readonly givenBy: ReadonlyMap<string, string>;
  /** The words that are no flags, in their order; empty where the command takes none. */
  readonly operands: readonly string[];
}

function textsOf(setting: Setting, texts: readonly string[]): string | string[] {
  if (!setting.isList) return texts.at(-1) ?? '';
  const items = texts.flatMap(text => text.split(','));
  return items.map(item => item.trim()).filter(item => item !== '');
}

function problemOf(setting: Setting, raw: string | string[], from: string): string | undefined {
  const result = setting.schema.safeParse(raw);
  if (result.success) return undefined;
  const [issue] = result.error.issues;
  const index = issue?.path[0];
  const value = Array.isArray(raw) && typeof index === 'number' ? raw[index] : raw;
  return `${from}: ${JSON.stringify(value)} ${issue?.message ?? 'is not accepted'}.`;
}

/**
 * Loads the settings of `table`: a flag before an environment variable before the file before the default.
 * Gives `'help'` where help was asked for. Throws a UsageError that names everything that is wrong.
 */
export function loadSettings<T extends z.ZodObject>(
  table: T,
  sources: SettingSources,
  options: LoadSettingsOptions,
): LoadedSettings<z.output<T>> | 'help' {
  const settings = settingsOf(table);
  const flags = readFlags(sources.argv, settings);
  if (flags.wantsHelp) return 'help';
  const environment = readEnvironment(sources.environment, settings, options.knownVariables);
  const problems = [...flags.problems, ...environment.problems];
  const operands = options.takesOperands === true ? flags.rest : [];
  for (const word of options.takesOperands === true ? [] : flags.rest)
    problems.push(`${options.command} takes no argument ${JSON.stringify(word)}.`);

  const find = (name: string, ...places: Given[]) => places.find(place => place.has(name))?.get(name);
  let file: Given = new Map();
  const path = find(options.fileSetting ?? '', flags.given, environment.given);
  if (path !== undefined) {
    const name = path.texts.at(-1) ?? '';
    try {
      const inFile = settings.filter(setting => setting.name !== options.fileSetting);
      const read = readConfigFile(name, sources.readFile(name), inFile);
      file = read.given;
      problems.push(...read.problems);
    } catch (thrown) {
      problems.push(`${path.from}: ${JSON.stringify(name)} cannot be read: ${messageOf(thrown)}.`);
    }
  }

  const raw: Record<string, string | string[]> = {};
  const givenBy = new Map<string, string>();
  for (const setting of settings) {
    const found = find(setting.name, flags.given, environment.given, file);
    if (found !== undefined) givenBy.set(setting.key, found.from);
    const texts = found?.texts ?? (setting.facts.default === undefined ? undefined : [setting.facts.default]);
    if (texts === undefined) continue;
    raw[setting.key] = textsOf(setting, texts);
    const problem = problemOf(setting, raw[setting.key] ?? '', found?.from ?? `--${setting.name}`);
    if (problem !== undefined) problems.push(problem);
  }
  if (problems.length > 0) throw new UsageError(problems);
  return { settings: table.parse(raw), givenBy, operands };
}

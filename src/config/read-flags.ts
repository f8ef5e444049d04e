import { nearest } from './nearest.ts';
import type { Setting } from './setting.ts';

/** What a source gives: texts by setting name; a list has one text or several. */
export type Given = ReadonlyMap<string, { readonly texts: readonly string[]; readonly from: string }>;

/** What was read from the command line. */
export interface ReadFlags {
  readonly given: Given;
  /** What is no flag and no value of one. */
  readonly rest: readonly string[];
  readonly wantsHelp: boolean;
  readonly problems: readonly string[];
}

const didYouMean = (guess: string | undefined): string =>
  guess === undefined ? '' : ` Did you mean ${guess}?`;

/**
 * Reads flags as Go programs do: `--flag value`, `--flag=value`, `-flag`; a switch is `--switch`,
 * `--switch=false` or `--no-switch`; `--` ends the flags. The last of two wins, those of a list add up.
 */
export function readFlags(argv: readonly string[], settings: readonly Setting[]): ReadFlags {
  const byName = new Map(settings.map(setting => [setting.name, setting]));
  const byLetter = new Map(settings.map(setting => [setting.facts.short, setting]));
  const given = new Map<string, { texts: string[]; from: string }>();
  const rest: string[] = [];
  const problems: string[] = [];
  let wantsHelp = false;

  const put = (setting: Setting, text: string): void => {
    const before = setting.isList ? (given.get(setting.name)?.texts ?? []) : [];
    given.set(setting.name, { texts: [...before, text], from: `--${setting.name}` });
  };

  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? '';
    if (word === '--') {
      rest.push(...argv.slice(index + 1));
      break;
    }
    const match = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(word);
    if (match === null) {
      rest.push(word);
      continue;
    }
    const [, name = '', value] = match;
    if (name === 'help' || name === 'h') {
      wantsHelp = true;
      continue;
    }
    const setting = byName.get(name) ?? (word.startsWith('--') ? undefined : byLetter.get(name));
    const negated = name.startsWith('no-') ? byName.get(name.slice(3)) : undefined;
    if (setting === undefined && negated?.isSwitch === true) {
      if (value === undefined) put(negated, 'false');
      else problems.push(`--${name} takes no value: write --${negated.name}=${value}, or --${name}.`);
    } else if (setting === undefined) {
      const guess = nearest(name, byName.keys());
      problems.push(`There is no flag --${name}.${didYouMean(guess && `--${guess}`)}`);
      // What follows an unknown flag is most likely its value, and no second mistake.
      if (value === undefined && argv[index + 1]?.startsWith('-') === false) index += 1;
    } else if (value !== undefined) put(setting, value);
    else if (setting.isSwitch) put(setting, 'true');
    else {
      const next = argv[index + 1];
      if (next === undefined || next.startsWith('--')) {
        problems.push(`--${name} needs a value: --${name}=${setting.facts.value ?? 'VALUE'}.`);
      } else {
        put(setting, next);
        index += 1;
      }
    }
  }
  return { given, rest, wantsHelp, problems };
}

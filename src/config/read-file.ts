import { parseDocument } from 'yaml';
import { messageOf } from '../core/errors.ts';
import { nearest } from './nearest.ts';
import type { Given } from './read-flags.ts';
import type { Setting } from './setting.ts';

const scalarText = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;

/**
 * Reads the settings from the text of a configuration file: YAML, one mapping, its keys the flags without
 * their dashes. A list is a YAML list, or a text with commas.
 */
export function readConfigFile(
  path: string,
  content: string,
  settings: readonly Setting[],
): { readonly given: Given; readonly problems: readonly string[] } {
  const given = new Map<string, { texts: string[]; from: string }>();
  let root: unknown;
  try {
    const document = parseDocument(content);
    const [error] = document.errors;
    if (error !== undefined) throw error;
    root = document.toJS();
  } catch (thrown) {
    return { given, problems: [`${path} is no valid YAML: ${messageOf(thrown).split('\n')[0] ?? ''}`] };
  }
  if (root === null || root === undefined) return { given, problems: [] };
  if (typeof root !== 'object' || Array.isArray(root)) {
    return { given, problems: [`${path} must hold one mapping, such as "log-level: debug".`] };
  }
  const problems: string[] = [];
  const byName = new Map(settings.map(setting => [setting.name, setting]));
  for (const [key, value] of Object.entries(root)) {
    const setting = byName.get(key);
    const from = `${key} in ${path}`;
    if (setting === undefined) {
      const guess = nearest(key.replace(/^--/, ''), byName.keys());
      problems.push(`There is no setting ${from}.${guess === undefined ? '' : ` Did you mean ${guess}?`}`);
      continue;
    }
    if (value === null) continue;
    const texts = (Array.isArray(value) ? value : [value]).map(scalarText);
    if (texts.includes(undefined) || (Array.isArray(value) && !setting.isList)) {
      problems.push(`${from} must be ${setting.isList ? 'a list of texts' : 'one value'}.`);
      continue;
    }
    given.set(key, { texts: texts.filter(one => one !== undefined), from });
  }
  return { given, problems };
}

import { type CommandSource, commandSourceOf } from './command-source.ts';
import { inspectSettings } from './inspect-settings.ts';
import { knownVariables } from './known-variables.ts';
import { loadSettings, type SettingSources } from './load-settings.ts';
import { objectNamesIn } from './object-names.ts';
import { UsageError } from './usage-error.ts';

/** What `postern inspect` is told from outside. */
export interface InspectConfig {
  readonly source: CommandSource;
  /** Absent: the one that the source has for its own. */
  readonly namespace: string | undefined;
  /** The name of the Secret. */
  readonly name: string;
  readonly output: 'text' | 'json';
}

/** The configuration of `postern inspect`, from flags and environment. Throws a UsageError. */
export function loadInspectConfig(
  sources: SettingSources & { readonly homeDir: string },
): InspectConfig | 'help' {
  const loaded = loadSettings(inspectSettings, sources, {
    knownVariables,
    command: 'postern inspect',
    takesOperands: true,
  });
  if (loaded === 'help') return 'help';
  const [kind = '', ...words] = loaded.operands;
  if (kind !== 'secret' && kind !== 'secrets') {
    throw new UsageError([
      kind === ''
        ? 'postern inspect takes "secret NAME".'
        : `postern inspect looks into Secrets: "secret NAME", not ${JSON.stringify(kind)}.`,
    ]);
  }
  const [name, ...others] = objectNamesIn('postern inspect secret', words);
  if (name === undefined || others.length > 0)
    throw new UsageError(['postern inspect secret takes the name of one Secret.']);
  const { namespace, output } = loaded.settings;
  return Object.freeze({ source: commandSourceOf(loaded, sources), namespace, name, output });
}

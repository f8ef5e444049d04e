import { type CommandSource, commandSourceOf } from './command-source.ts';
import { knownVariables } from './known-variables.ts';
import { loadSettings, type SettingSources } from './load-settings.ts';
import { objectNamesIn } from './object-names.ts';
import { statusSettings } from './status-settings.ts';
import { UsageError } from './usage-error.ts';

/** What `postern status` is told from outside. */
export interface StatusConfig {
  readonly source: CommandSource;
  readonly namespace: string | undefined;
  readonly ingressClasses: readonly string[];
  readonly output: 'table' | 'json';
  /** The one certificate that is asked for; absent where all are. */
  readonly certificate: string | undefined;
}

const kinds: readonly string[] = ['certificate', 'certificates', 'cert'];

/** `certificate NAME`, or nothing. */
function certificateIn(operands: readonly string[]): string | undefined {
  const [kind, ...names] = operands;
  if (kind === undefined) return undefined;
  if (!kinds.includes(kind)) {
    throw new UsageError([
      `postern status takes no argument ${JSON.stringify(kind)}: it shows everything, or "certificate NAME".`,
    ]);
  }
  const [name, ...others] = objectNamesIn('postern status certificate', names);
  if (name !== undefined && others.length === 0) return name;
  throw new UsageError(['postern status certificate takes the name of one certificate.']);
}

/** The configuration of `postern status`, from flags and environment. Throws a UsageError. */
export function loadStatusConfig(
  sources: SettingSources & { readonly homeDir: string },
): StatusConfig | 'help' {
  const loaded = loadSettings(statusSettings, sources, {
    knownVariables,
    command: 'postern status',
    takesOperands: true,
  });
  if (loaded === 'help') return 'help';
  const { namespace, ingressClass, output } = loaded.settings;
  return Object.freeze({
    source: commandSourceOf(loaded, sources),
    namespace,
    ingressClasses: ingressClass,
    output,
    certificate: certificateIn(loaded.operands),
  });
}

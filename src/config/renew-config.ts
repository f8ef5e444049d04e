import { type CommandSource, commandSourceOf } from './command-source.ts';
import { knownVariables } from './known-variables.ts';
import { loadSettings, type SettingSources } from './load-settings.ts';
import { objectNamesIn } from './object-names.ts';
import { renewSettings } from './renew-settings.ts';
import { UsageError } from './usage-error.ts';

/** What `postern renew` is told from outside. */
export interface RenewConfig {
  readonly source: CommandSource;
  /** Absent: the one that the source has for its own. */
  readonly namespace: string | undefined;
  readonly which:
    | { readonly kind: 'named'; readonly names: readonly string[] }
    | {
        readonly kind: 'selected';
        /** Absent: all of them. */
        readonly labelSelector: string | undefined;
        readonly allNamespaces: boolean;
      };
}

/** The configuration of `postern renew`, from flags and environment. Throws a UsageError. */
export function loadRenewConfig(
  sources: SettingSources & { readonly homeDir: string },
): RenewConfig | 'help' {
  const loaded = loadSettings(renewSettings, sources, {
    knownVariables,
    command: 'postern renew',
    takesOperands: true,
  });
  if (loaded === 'help') return 'help';
  const { all, selector, allNamespaces, namespace } = loaded.settings;
  const names = objectNamesIn('postern renew', loaded.operands);
  const ways = [names.length > 0 && 'names', all && '--all', selector !== undefined && '--selector'].filter(
    way => way !== false,
  );
  if (ways.length === 0) {
    throw new UsageError([
      'postern renew needs to know which certificates: name them, or give --all or --selector.',
    ]);
  }
  if (ways.length > 1) throw new UsageError([`${ways.join(' and ')} exclude each other: give one of them.`]);
  if (allNamespaces && names.length > 0) {
    throw new UsageError([
      '--all-namespaces goes with --all or --selector: names are those of one namespace.',
    ]);
  }
  const from = loaded.givenBy.get('namespace');
  if (allNamespaces && from !== undefined) {
    throw new UsageError([`--all-namespaces and ${from} exclude each other: give one of them.`]);
  }
  return Object.freeze<RenewConfig>({
    source: commandSourceOf(loaded, sources),
    namespace,
    which:
      names.length > 0
        ? { kind: 'named', names }
        : { kind: 'selected', labelSelector: selector, allNamespaces },
  });
}

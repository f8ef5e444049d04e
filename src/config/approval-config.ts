import { approvalSettings } from './approval-settings.ts';
import { type CommandSource, commandSourceOf } from './command-source.ts';
import { knownVariables } from './known-variables.ts';
import { loadSettings, type SettingSources } from './load-settings.ts';
import { objectNamesIn } from './object-names.ts';
import { UsageError } from './usage-error.ts';

/** What `postern approve` and `postern deny` are told from outside. */
export interface ApprovalConfig {
  readonly source: CommandSource;
  /** Absent: the one that the source has for its own. */
  readonly namespace: string | undefined;
  readonly name: string;
  readonly reason: string;
  readonly message: string | undefined;
}

/** The configuration of `postern approve` or `postern deny`, from flags and environment. Throws a UsageError. */
export function loadApprovalConfig(
  command: 'postern approve' | 'postern deny',
  sources: SettingSources & { readonly homeDir: string },
): ApprovalConfig | 'help' {
  const loaded = loadSettings(approvalSettings, sources, { knownVariables, command, takesOperands: true });
  if (loaded === 'help') return 'help';
  const [name, ...others] = objectNamesIn(command, loaded.operands);
  if (name === undefined || others.length > 0)
    throw new UsageError([`${command} takes the name of one CertificateRequest.`]);
  const { namespace, reason, message } = loaded.settings;
  return Object.freeze({ source: commandSourceOf(loaded, sources), namespace, name, reason, message });
}

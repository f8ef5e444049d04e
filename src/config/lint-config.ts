import { knownVariables } from './known-variables.ts';
import { lintSettings } from './lint-settings.ts';
import { loadSettings, type SettingSources } from './load-settings.ts';
import { UsageError } from './usage-error.ts';

/** What `postern lint` is told from outside. */
export interface LintConfig {
  /** Files and folders; `-` is standard input. */
  readonly paths: readonly string[];
  readonly ingressClasses: readonly string[];
  readonly strict: boolean;
  readonly output: 'text' | 'json';
}

/** The configuration of `postern lint`, from flags and environment. Throws a UsageError. */
export function loadLintConfig(sources: SettingSources): LintConfig | 'help' {
  const loaded = loadSettings(lintSettings, sources, {
    knownVariables,
    command: 'postern lint',
    takesOperands: true,
  });
  if (loaded === 'help') return 'help';
  if (loaded.operands.length === 0)
    throw new UsageError([
      'postern lint takes the files or folders of your manifests, or "-" for standard input.',
    ]);
  const { ingressClass, strict, output } = loaded.settings;
  return Object.freeze({ paths: loaded.operands, ingressClasses: ingressClass, strict, output });
}

import { knownVariables } from './known-variables.ts';
import { loadSettings, type SettingSources } from './load-settings.ts';
import { stateFolder } from './state-folder.ts';
import { statusSettings } from './status-settings.ts';
import { UsageError } from './usage-error.ts';

/** Whose objects `postern status` shows. */
export type StatusSource =
  | { readonly kind: 'cluster'; readonly kubeconfig: string | undefined }
  | { readonly kind: 'state-folder'; readonly stateDir: string };

/** What `postern status` is told from outside. */
export interface StatusConfig {
  readonly source: StatusSource;
  readonly namespace: string | undefined;
  readonly output: 'table' | 'json';
}

/** The configuration of `postern status`, from flags and environment. Throws a UsageError. */
export function loadStatusConfig(
  sources: SettingSources & { readonly homeDir: string },
): StatusConfig | 'help' {
  const loaded = loadSettings(statusSettings, sources, { knownVariables, command: 'postern status' });
  if (loaded === 'help') return 'help';
  const { kubeconfig, standalone, stateDir, namespace, output } = loaded.settings;
  const isFolder = standalone !== undefined || stateDir !== undefined;
  if (isFolder && kubeconfig !== undefined) {
    const folder = loaded.givenBy.get('standalone') ?? loaded.givenBy.get('stateDir');
    throw new UsageError([
      `${folder} and ${loaded.givenBy.get('kubeconfig')} exclude each other: the status of a state folder or of a cluster.`,
    ]);
  }
  const source: StatusSource = isFolder
    ? { kind: 'state-folder', stateDir: stateDir ?? stateFolder(sources.environment, sources.homeDir) }
    : { kind: 'cluster', kubeconfig };
  return Object.freeze({ source, namespace, output });
}

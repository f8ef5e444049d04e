import type { LoadedSettings } from './load-settings.ts';
import { setting } from './setting.ts';
import { stateFolder } from './state-folder.ts';
import { UsageError } from './usage-error.ts';
import { text } from './values.ts';

/** Whose objects a command other than `postern run` works on. */
export type CommandSource =
  | { readonly kind: 'cluster'; readonly kubeconfig: string | undefined }
  | { readonly kind: 'state-folder'; readonly stateDir: string };

/** The heading of these settings in the help. */
export const objectsGroup = 'Where the objects are';

/** The settings that say whose objects are meant: the same for all commands, in a table each. */
export const sourceSettings = () => ({
  kubeconfig: setting(text('a file').optional(), {
    group: objectsGroup,
    value: 'FILE',
    help: 'The kubeconfig of the cluster.',
    defaultText: '$KUBECONFIG, then ~/.kube/config, then the ServiceAccount of the pod',
  }),
  standalone: setting(text('a folder').optional(), {
    group: objectsGroup,
    value: 'DIR',
    help: 'Look at the Postern that runs with the same flag, instead of a cluster.',
  }),
  stateDir: setting(text('a folder').optional(), {
    group: objectsGroup,
    value: 'DIR',
    help: 'Look at this state folder of a Postern that runs standalone, instead of a cluster.',
    defaultText: 'with --standalone, the folder that "postern run" would use',
  }),
});

type Loaded = LoadedSettings<{
  readonly kubeconfig?: string | undefined;
  readonly standalone?: string | undefined;
  readonly stateDir?: string | undefined;
}>;

/** The source that was asked for. Throws a UsageError where two were. */
export function commandSourceOf(
  { settings, givenBy }: Loaded,
  { environment, homeDir }: CommandSources,
): CommandSource {
  const { kubeconfig, standalone, stateDir } = settings;
  const isFolder = standalone !== undefined || stateDir !== undefined;
  if (isFolder && kubeconfig !== undefined) {
    const folder = givenBy.get('standalone') ?? givenBy.get('stateDir');
    throw new UsageError([
      `${folder} and ${givenBy.get('kubeconfig')} exclude each other: the objects of a state folder or of a cluster.`,
    ]);
  }
  return isFolder
    ? { kind: 'state-folder', stateDir: stateDir ?? stateFolder(environment, homeDir) }
    : { kind: 'cluster', kubeconfig };
}

/** The machine, as far as `commandSourceOf` depends on it. */
interface CommandSources {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly homeDir: string;
}

/** The flags that lead another command to the same objects, with a space before each. */
export function sourceFlags(source: CommandSource): string {
  if (source.kind === 'state-folder') return ` --state-dir ${shellWord(source.stateDir)}`;
  return source.kubeconfig === undefined ? '' : ` --kubeconfig ${shellWord(source.kubeconfig)}`;
}

/** A word as a shell takes it for one. */
function shellWord(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

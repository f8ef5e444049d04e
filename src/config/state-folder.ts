import { join } from 'node:path';

/**
 * Where standalone mode keeps its state where --state-dir is not given: the folder that systemd made for the
 * service (`StateDirectory=`), else the user's state folder. Not the current folder: the state holds private
 * keys, which must not end up in a checkout; and `postern status` finds it from anywhere.
 * Source: systemd.exec(5); XDG Base Directory Specification 0.8.
 */
export function stateFolder(
  environment: Readonly<Record<string, string | undefined>>,
  homeDir: string,
): string {
  // systemd separates several by colons; the first is the service's own.
  const [fromSystemd] = (environment['STATE_DIRECTORY'] ?? '').split(':');
  if (fromSystemd !== undefined && fromSystemd !== '') return fromSystemd;
  const base = environment['XDG_STATE_HOME'];
  // "All paths must be absolute. If a relative path is encountered, it should be ignored."
  return join(base?.startsWith('/') === true ? base : join(homeDir, '.local', 'state'), 'postern');
}

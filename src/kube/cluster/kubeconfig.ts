import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { KubeConfig, type User } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { messageOf, TerminalError } from '../../core/errors.ts';

/** Where to find the API server and who to be there. */
export interface KubeconfigSource {
  /** A kubeconfig file. Absent: `KUBECONFIG`, then `~/.kube/config`, then the pod's ServiceAccount. */
  readonly kubeconfigPath?: string | undefined;
  /** A context of it, instead of its current one. */
  readonly context?: string | undefined;
}

/** A loaded kubeconfig. The token file is kept apart, as it is read anew for each request. */
export interface Kubeconfig {
  readonly config: KubeConfig;
  readonly tokenFile: string | undefined;
  /** Where it was read from, for messages. */
  readonly origin: string;
}

const serviceAccountToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';

function refused(message: string, cause?: unknown): TerminalError {
  return new TerminalError(message, { code: 'KUBECONFIG_INVALID', cause });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What the client library does not read: `tokenFile` of each user, by its name. */
function tokenFilesOf(text: string, folder: string): Map<string, string> {
  const parsed: unknown = parse(text);
  const users: unknown = isRecord(parsed) ? parsed['users'] : undefined;
  const files = new Map<string, string>();
  for (const entry of Array.isArray(users) ? (users as unknown[]) : []) {
    if (!isRecord(entry) || !isRecord(entry['user'])) continue;
    const file = entry['user']['tokenFile'];
    if (typeof file === 'string' && typeof entry['name'] === 'string') {
      files.set(entry['name'], isAbsolute(file) ? file : join(folder, file));
    }
  }
  return files;
}

/**
 * A user whose credential plugin is run as kubectl runs it: told the version it is to answer in, and found
 * beside the kubeconfig where its path is relative.
 * Source: client-go, plugin/pkg/client/auth/exec.
 */
function withExecInfo(user: User, folder: string): User {
  const exec: unknown = user.exec;
  if (!isRecord(exec)) return user;
  const info = { kind: 'ExecCredential', apiVersion: exec['apiVersion'], spec: { interactive: false } };
  const env = Array.isArray(exec['env']) ? (exec['env'] as unknown[]) : [];
  const command = typeof exec['command'] === 'string' ? exec['command'] : '';
  return {
    ...user,
    exec: {
      ...exec,
      command: command.includes('/') && !isAbsolute(command) ? join(folder, command) : command,
      env: [...env, { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }],
    },
  };
}

interface LoadedFile {
  readonly config: KubeConfig;
  readonly tokenFiles: Map<string, string>;
}

function loadFile(path: string): LoadedFile {
  try {
    const config = new KubeConfig();
    config.loadFromFile(path);
    config.users = config.users.map(user => withExecInfo(user, dirname(path)));
    return { config, tokenFiles: tokenFilesOf(readFileSync(path, 'utf8'), dirname(path)) };
  } catch (thrown) {
    throw refused(`kubeconfig ${path} cannot be used: ${messageOf(thrown)}`, thrown);
  }
}

/** Several files as one: of things with the same name the first counts, as kubectl has it. */
function merged(files: readonly LoadedFile[]): LoadedFile {
  const [first, ...others] = files;
  if (first === undefined) throw refused('KUBECONFIG names no file that exists; name one, or unset it');
  const { config, tokenFiles } = first;
  const added = <T extends { readonly name: string }>(into: T[], from: readonly T[]): T[] => [
    ...into,
    ...from.filter(one => !into.some(other => other.name === one.name)),
  ];
  for (const other of others) {
    for (const user of other.config.users) {
      const file = other.tokenFiles.get(user.name);
      if (file !== undefined && !config.users.some(known => known.name === user.name)) {
        tokenFiles.set(user.name, file);
      }
    }
    config.clusters = added(config.clusters, other.config.clusters);
    config.users = added(config.users, other.config.users);
    config.contexts = added(config.contexts, other.config.contexts);
    config.currentContext ||= other.config.currentContext;
  }
  return first;
}

/**
 * The name of the current user. A context may go without one (`kubectl proxy`); it gets an anonymous one then,
 * since the client library passes over the cluster's CA where there is no user.
 */
function withUser(config: KubeConfig, origin: string): string {
  const context = config.getContextObject(config.currentContext);
  const name = context?.user ?? 'anonymous';
  if (config.getUser(name) !== null) return name;
  if (name !== 'anonymous') {
    throw refused(`kubeconfig ${origin}: user "${name}" of context "${config.currentContext}" is not in it`);
  }
  config.users = [...config.users, { name }];
  config.contexts = config.contexts.map(one =>
    one.name === config.currentContext ? { ...one, user: name } : one,
  );
  return name;
}

function inCluster(): Kubeconfig {
  const config = new KubeConfig();
  config.loadFromCluster();
  config.users = config.users.map(({ name }) => ({ name }));
  return { config, tokenFile: serviceAccountToken, origin: "the pod's ServiceAccount" };
}

/**
 * Finds and reads the kubeconfig. Throws a TerminalError (KUBECONFIG_INVALID) that names the file and what is
 * wrong with it.
 */
export function loadKubeconfig(source: KubeconfigSource, env: NodeJS.ProcessEnv = process.env): Kubeconfig {
  const home = join(env['HOME'] ?? homedir(), '.kube', 'config');
  let paths: string[] = [];
  if (source.kubeconfigPath !== undefined) paths = [source.kubeconfigPath];
  else if ((env['KUBECONFIG'] ?? '') !== '') {
    paths = (env['KUBECONFIG'] ?? '').split(delimiter).filter(path => path !== '' && existsSync(path));
  } else if (existsSync(home)) paths = [home];
  else if (existsSync(serviceAccountToken) && (env['KUBERNETES_SERVICE_HOST'] ?? '') !== '')
    return inCluster();
  else {
    throw refused(
      `no API server is known: there is no --kubeconfig, no KUBECONFIG, no ${home}, and this is no pod with a ServiceAccount; give one of them`,
    );
  }

  const { config, tokenFiles } = merged(paths.map(loadFile));
  const origin = paths.join(delimiter);
  if (source.context !== undefined) config.setCurrentContext(source.context);
  if (config.getContextObject(config.currentContext) === null) {
    const known = config.contexts.map(context => context.name).join(', ') || 'none';
    throw refused(
      `kubeconfig ${origin} has no context ${JSON.stringify(config.currentContext)}; it has: ${known}`,
    );
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw refused(`kubeconfig ${origin}: the cluster of context "${config.currentContext}" is not in it`);
  }
  if (!/^https?:\/\//.test(cluster.server)) {
    throw refused(`kubeconfig ${origin}: cluster.server "${cluster.server}" is no http or https URL`);
  }
  if (cluster.server.startsWith('http:') && !cluster.skipTLSVerify) {
    throw refused(
      `kubeconfig ${origin}: cluster.server "${cluster.server}" is not encrypted; use https, or set insecure-skip-tls-verify to accept that`,
    );
  }
  return { config, tokenFile: tokenFiles.get(withUser(config, origin)), origin };
}

import { readFile } from 'node:fs/promises';
import type { Agent, RequestOptions } from 'node:https';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { KubeError } from '../errors.ts';
import { type KubeconfigSource, loadKubeconfig } from './kubeconfig.ts';

export type TlsSettings = Pick<
  RequestOptions,
  'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized' | 'auth'
>;

/** What one request needs to be trusted and to trust. Read anew all the time: all of it can rotate. */
export interface Credentials {
  readonly headers: Readonly<Record<string, string>>;
  /** The same object for as long as they say the same. */
  readonly tls: TlsSettings;
  /** The agent that goes through the kubeconfig's `proxy-url`; undefined where there is none. */
  readonly proxyAgent: Agent | undefined;
}

/** Credentials from a kubeconfig. */
export interface CredentialSource {
  /** The base URL of the API server, as the kubeconfig has it now. */
  server(): URL;
  /** Whether the kubeconfig turns the verification of the server off. */
  readonly insecure: boolean;
  readonly origin: string;
  /** What was read within the last second; undefined where nothing was. */
  latest(): Credentials | undefined;
  /** Reads them. Throws a KubeError: UNAUTHORIZED where there are no credentials to be had. */
  next(): Promise<Credentials>;
  /** They were refused (401): read the kubeconfig again, and run its plugin again, before the next request. */
  refused(): void;
}

/** A burst would read the same files for each of hundreds of requests a second. */
const freshMs = 1_000;

/** Loads the kubeconfig; throws a TerminalError where it cannot be used. */
export function credentialSource(source: KubeconfigSource, clock: Clock): CredentialSource {
  let current = loadKubeconfig(source);
  let server: URL | undefined;
  let stale = false;
  let tls: TlsSettings = {};
  let latest: { readonly credentials: Credentials; readonly readAtMs: number } | undefined;
  let pending: Promise<Credentials> | undefined;

  const reload = (): void => {
    stale = false;
    server = undefined;
    try {
      current = loadKubeconfig(source);
    } catch (thrown) {
      throw new KubeError('KUBE_UNAUTHORIZED', messageOf(thrown), { cause: thrown });
    }
  };

  const read = async (): Promise<Credentials> => {
    if (stale) reload();
    const { config, tokenFile, origin } = current;
    const options: RequestOptions = { headers: {} };
    let token: string | undefined;
    try {
      await config.applyToHTTPSOptions(options);
      if (tokenFile !== undefined) token = (await readFile(tokenFile, 'utf8')).trim();
    } catch (thrown) {
      // The message of a plugin or of the file system; neither holds the credential itself.
      throw new KubeError(
        'KUBE_UNAUTHORIZED',
        `${origin}: no credentials for the API server: ${messageOf(thrown).slice(0, 300)}`,
        { cause: thrown },
      );
    }
    const headers = { ...(options.headers as Record<string, string>) };
    if (token !== undefined) headers['Authorization'] = `Bearer ${token}`;
    else if (headers['Authorization'] !== undefined)
      headers['Authorization'] = headers['Authorization'].trim();
    const { ca, cert, key, servername, rejectUnauthorized, auth } = options;
    const given = { ca, cert, key, servername, rejectUnauthorized, auth };
    const read = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    if (!isDeepStrictEqual(read, tls)) tls = read;
    const proxied = config.getCurrentCluster()?.proxyUrl !== undefined;
    return { headers, tls, proxyAgent: proxied ? (options.agent as Agent) : undefined };
  };

  return {
    server: () => (server ??= new URL(current.config.getCurrentCluster()?.server ?? '')),
    get insecure() {
      return current.config.getCurrentCluster()?.skipTLSVerify === true;
    },
    get origin() {
      return current.origin;
    },
    latest() {
      const ageMs = latest === undefined ? freshMs : clock.now() - latest.readAtMs;
      // Less than nothing: the clock was set back.
      return ageMs >= 0 && ageMs < freshMs ? latest?.credentials : undefined;
    },
    next() {
      // Shared by all who ask while it is under way: a plugin runs once, not once for each request.
      pending ??= read()
        .then(credentials => {
          if (!stale) latest = { credentials, readAtMs: clock.now() };
          return credentials;
        })
        .finally(() => {
          pending = undefined;
        });
      return pending;
    },
    refused() {
      stale = true;
      latest = undefined;
    },
  };
}

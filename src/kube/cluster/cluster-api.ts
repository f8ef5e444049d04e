import { type KubeObject, keyText, type ObjectKey } from '../../api/meta.ts';
import { apiVersionOf, type Resource } from '../../api/resource.ts';
import { type Clock, systemClock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import { KubeError } from '../errors.ts';
import type { KubeApi, ListOptions, ListPage, WatchOptions } from '../port.ts';
import { collectionPath, objectPath, ownCollectionPath, queryOf } from './api-path.ts';
import { readJson } from './body.ts';
import { type ApiAnswer, type ApiRequest, createConnection } from './connection.ts';
import { credentialSource } from './credentials.ts';
import { createDiscovery } from './discovery.ts';
import { errorOfAnswer } from './status.ts';
import { watchEvents } from './watch-stream.ts';

/** What a call was, for metrics. */
export interface ObservedRequest {
  readonly verb: Verb;
  /** The plural, or `discovery`. */
  readonly resource: string;
  /** The HTTP status; 0 where there was no answer. */
  readonly status: number;
  /** To the end of the answer, or to the begin of the stream for `watch`, in milliseconds. */
  readonly durationMs: number;
}

type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

export interface ClusterApiOptions {
  /** A kubeconfig file. Absent: `KUBECONFIG`, then `~/.kube/config`, then the pod's ServiceAccount. */
  readonly kubeconfigPath?: string | undefined;
  /** A context of it, instead of its current one. */
  readonly context?: string | undefined;
  readonly logger: Logger;
  readonly userAgent: string;
  readonly clock?: Clock;
  /** Called at the end of each call; must not throw. */
  readonly onRequest?: (request: ObservedRequest) => void;
  /** For each call but `watch`, in milliseconds. */
  readonly deadlineMs?: number;
  /** The most connections at once. */
  readonly maxSockets?: number;
}

/** How long after its own time limit a watch may go on before we break it off, in milliseconds. */
const watchGraceMs = 15_000;

/** What every call has in common: what it is, for metrics and for messages, and how it goes out. */
interface Call extends Omit<ApiRequest, 'what'> {
  readonly verb: Verb;
  readonly resource: string;
  readonly object: string;
}

const success = (status: number): boolean => status >= 200 && status < 300;

function needsVersion(resource: Resource<KubeObject>, object: KubeObject): void {
  if ((object.metadata.resourceVersion ?? '') !== '') return;
  throw new KubeError(
    'KUBE_INVALID',
    `${resource.kind} ${object.metadata.name ?? ''}: metadata.resourceVersion is missing; an update needs the version it was made from`,
  );
}

/**
 * The `KubeApi` on a real API server, over HTTP/1.1 and JSON. Credentials, the CA and tokens are read anew
 * after a second at most, so all of them may rotate. Calls are not repeated, except a read whose connection the server had closed.
 * Throws a TerminalError (KUBECONFIG_INVALID) where the kubeconfig cannot be used; connects at the first call.
 */
export function createClusterApi(options: ClusterApiOptions): KubeApi & { close(): void } {
  const clock = options.clock ?? systemClock;
  const credentials = credentialSource(options, clock);
  const connection = createConnection({
    credentials,
    clock,
    userAgent: options.userAgent,
    deadlineMs: options.deadlineMs ?? 30_000,
    maxSockets: options.maxSockets ?? 64,
  });
  if (credentials.insecure) {
    options.logger.warn('the API server is not verified: the kubeconfig sets insecure-skip-tls-verify', {
      server: credentials.server().host,
      kubeconfig: credentials.origin,
    });
  }

  const whatOf = (call: Call): string => `${call.verb} ${call.resource} ${call.object}`.trimEnd();

  /** Sends a call and gives the answer where it is a success; translates it into an error where not. */
  const open = async (call: Call, observe: (status: number) => void): Promise<ApiAnswer> => {
    const what = whatOf(call);
    let answer: ApiAnswer;
    try {
      answer = await connection.send({ ...call, what });
    } catch (thrown) {
      observe(0);
      throw thrown;
    }
    if (success(answer.status)) return answer;
    observe(answer.status);
    if (answer.status === 401) credentials.refused();
    const body = await readJson(what, answer, call.signal);
    throw errorOfAnswer(what, answer.status, body, answer.retryAfter, clock.now());
  };

  const observer = (call: Call): ((status: number) => void) => {
    const started = clock.now();
    return status =>
      options.onRequest?.({
        verb: call.verb,
        resource: call.resource,
        status,
        durationMs: clock.now() - started,
      });
  };

  /** Makes a call and reads its answer, an object. */
  const ask = async (call: Call): Promise<Record<string, unknown>> => {
    const observe = observer(call);
    const answer = await open(call, observe);
    const what = whatOf(call);
    try {
      const body = await readJson(what, answer, call.signal);
      if (typeof body === 'object' && body !== null) return body as Record<string, unknown>;
    } finally {
      observe(answer.status);
    }
    throw new KubeError('KUBE_UNAVAILABLE', `${what}: the answer of the API server is not JSON`);
  };

  const askForObject = async <T extends KubeObject>(call: Call): Promise<T> => {
    const body = (await ask(call)) as Partial<T>;
    if (typeof body.metadata === 'object') return body as T;
    throw new KubeError(
      'KUBE_UNAVAILABLE',
      `${whatOf(call)}: the answer of the API server is not an object with metadata`,
    );
  };

  const put = <T extends KubeObject>(
    resource: Resource<T>,
    object: T,
    subresource?: 'status',
  ): Promise<T> => {
    needsVersion(resource, object);
    const { namespace, name = '' } = object.metadata;
    return askForObject<T>({
      verb: 'update',
      method: 'PUT',
      resource: resource.plural,
      object: keyText({ namespace: namespace ?? '', name }),
      path: objectPath(resource, { namespace, name, subresource }),
      body: { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind },
    });
  };

  const discovery = createDiscovery(
    path => ask({ verb: 'get', method: 'GET', resource: 'discovery', object: path, path }),
    clock,
  );

  return {
    async get<T extends KubeObject>(resource: Resource<T>, key: ObjectKey, signal?: AbortSignal): Promise<T> {
      return askForObject<T>({
        verb: 'get',
        method: 'GET',
        resource: resource.plural,
        object: keyText(key),
        path: objectPath(resource, key),
        signal,
      });
    },

    async list<T extends KubeObject>(
      resource: Resource<T>,
      { namespace, labelSelector, fieldSelector, limit, continue: token, signal }: ListOptions = {},
    ): Promise<ListPage<T>> {
      const query = queryOf({ labelSelector, fieldSelector, limit, continue: token });
      const call: Call = {
        verb: 'list',
        method: 'GET',
        resource: resource.plural,
        object: namespace ?? '',
        path: collectionPath(resource, namespace) + query,
        signal,
      };
      const list = (await ask(call)) as {
        items?: T[] | null;
        metadata?: { resourceVersion?: string; continue?: string };
      };
      const resourceVersion = list.metadata?.resourceVersion;
      if (resourceVersion === undefined) {
        throw new KubeError(
          'KUBE_UNAVAILABLE',
          `${whatOf(call)}: the answer of the API server is not a list`,
        );
      }
      const items = list.items ?? [];
      const apiVersion = apiVersionOf(resource);
      for (const item of items) {
        item.apiVersion = apiVersion;
        item.kind = resource.kind;
      }
      const next = list.metadata?.continue;
      return { items, resourceVersion, continue: next === '' ? undefined : next };
    },

    async *watch<T extends KubeObject>(
      resource: Resource<T>,
      { namespace, labelSelector, fieldSelector, resourceVersion, timeoutSeconds, signal }: WatchOptions,
    ) {
      const query = queryOf({
        watch: true,
        allowWatchBookmarks: true,
        labelSelector,
        fieldSelector,
        resourceVersion,
        timeoutSeconds,
      });
      const call: Call = {
        verb: 'watch',
        method: 'GET',
        resource: resource.plural,
        object: namespace ?? '',
        path: collectionPath(resource, namespace) + query,
        signal,
      };
      const observe = observer(call);
      const answer = await open(call, observe);
      observe(answer.status);
      answer.extend(timeoutSeconds * 1_000 + watchGraceMs);
      yield* watchEvents<T>(whatOf(call), answer, signal, () => clock.now());
    },

    async create<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T> {
      const { namespace, name, generateName } = object.metadata;
      return askForObject<T>({
        verb: 'create',
        method: 'POST',
        resource: resource.plural,
        object: keyText({ namespace: namespace ?? '', name: name ?? `${generateName ?? ''}*` }),
        path: ownCollectionPath(resource, namespace),
        body: { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind },
      });
    },

    async update<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T> {
      return put(resource, object);
    },

    async updateStatus<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T> {
      return put(resource, object, 'status');
    },

    async mergePatch<T extends KubeObject>(
      resource: Resource<T>,
      key: ObjectKey,
      patch: object,
      { subresource }: { readonly subresource?: 'status' } = {},
    ): Promise<T> {
      return askForObject<T>({
        verb: 'patch',
        method: 'PATCH',
        resource: resource.plural,
        object: keyText(key),
        path: objectPath(resource, { ...key, subresource }),
        body: patch,
        contentType: 'application/merge-patch+json',
      });
    },

    async delete(resource, key, { uid, resourceVersion } = {}) {
      const preconditions =
        uid === undefined && resourceVersion === undefined ? undefined : { uid, resourceVersion };
      await ask({
        verb: 'delete',
        method: 'DELETE',
        resource: resource.plural,
        object: keyText(key),
        path: objectPath(resource, key),
        body: {
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          propagationPolicy: 'Background',
          preconditions,
        },
      });
    },

    serves: resource => discovery(resource),
    close: () => connection.close(),
  };
}

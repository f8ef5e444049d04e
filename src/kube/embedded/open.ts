import type { KubeObject, ObjectKey } from '../../api/meta.ts';
import { keyOf } from '../../api/meta.ts';
import type { Resource } from '../../api/resource.ts';
import { apiVersionOf } from '../../api/resource.ts';
import { validateObject } from '../../api/schemas.ts';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import { KubeError } from '../errors.ts';
import type { KubeApi } from '../port.ts';
import { throwIfAborted } from './abort.ts';
import { type Database, openDatabase } from './database.ts';
import { lockFolder } from './folder-lock.ts';
import { startGarbageCollector } from './garbage-collector.ts';
import { defaultHistory, type HistoryLimits, startHousekeeping, tidyStore } from './housekeeping.ts';
import { listPage } from './list.ts';
import {
  checkPreconditions,
  createdObject,
  deletedObject,
  objectWithStatus,
  patchedObject,
  updatedObject,
} from './next-object.ts';
import { openRecords, type Records } from './records.ts';
import { embeddedResources } from './resources.ts';
import { kubeErrorOf } from './sqlite-errors.ts';
import { prepareStateFolder, stateFilesIn } from './state-folder.ts';
import { openStore, servedResources } from './store.ts';
import type { Validate } from './validation.ts';
import type { StoredVersion } from './versions.ts';
import { watchVersions } from './watch.ts';

export interface EmbeddedOptions {
  /** The folder that holds the state; made where it is not there. */
  readonly stateDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Only reads, beside the process that has the folder. Watches and writes are refused. */
  readonly readOnly?: boolean | undefined;
  /** What the store serves; the resources of src/api by default. */
  readonly resources?: readonly Resource<KubeObject>[] | undefined;
  /** What checks objects and gives them their defaults; the schemas of src/api by default. */
  readonly validate?: Validate | undefined;
  readonly history?: HistoryLimits | undefined;
}

/**
 * The `KubeApi` on a database in a folder of this machine. Beyond the port's contract:
 * - namespaces are implicit: an object may lie in one that has no Namespace object, and removing a Namespace
 *   object removes nothing else;
 * - a write is durable, a power cut included, when its promise resolves; watches may tell of it before;
 * - objects given out are frozen;
 * - Events are dropped an hour after their last write; watches can go on from versions of the last 5 minutes
 *   (10,000 versions at most).
 */
export interface EmbeddedApi extends KubeApi {
  /** A durable map of texts under a name of its own. */
  records(collection: string): Records;
  /** Collects garbage, drops old Events and old history now; it happens by itself each minute. */
  tidy(): Promise<void>;
  /** Ends watches cleanly, waits for what is being written, and gives the folder back. */
  close(): Promise<void>;
}

/**
 * Opens the store of a state folder. Throws a TerminalError for the user: STATE_FOLDER_IN_USE where another
 * process has it, STATE_FOLDER_UNUSABLE for modes, damage or a newer layout, STATE_FOLDER_EMPTY where there is
 * nothing to read.
 */
export function openEmbeddedApi(options: EmbeddedOptions): EmbeddedApi {
  const { stateDir, clock, logger, readOnly = false, validate = validateObject } = options;
  if (readOnly)
    return embeddedApi(openDatabase(stateFilesIn(stateDir), { readOnly }), options, validate, () => {});
  const files = prepareStateFolder(stateDir, logger);
  const lock = lockFolder(files);
  try {
    const database = openDatabase(files, { readOnly });
    return embeddedApi(database, { ...options, clock }, validate, () => lock.release());
  } catch (thrown) {
    lock.release();
    throw thrown;
  }
}

function embeddedApi(
  database: Database,
  {
    clock,
    logger,
    readOnly = false,
    resources = embeddedResources,
    history = defaultHistory,
  }: EmbeddedOptions,
  validate: Validate,
  release: () => void,
): EmbeddedApi {
  const served = servedResources(resources);
  const store = openStore(database, served, clock);
  const watchers = new Set<(written: StoredVersion | undefined) => void>();
  store.onCommit(written => {
    for (const watcher of watchers) watcher(written);
  });
  const collector = readOnly ? undefined : startGarbageCollector(store, { clock, logger });
  const tidy = (): void => tidyStore(database, store, history, clock.now());
  const stopHousekeeping = readOnly ? () => {} : startHousekeeping(tidy, clock, logger);
  let closed: Promise<void> | undefined;

  const source = {
    versions: store.versions,
    clock,
    get closed() {
      return closed !== undefined;
    },
    onWrite(listener: (written: StoredVersion | undefined) => void) {
      watchers.add(listener);
      return () => watchers.delete(listener);
    },
  };

  const checkOpen = (): void => {
    if (closed !== undefined) throw new KubeError('KUBE_UNAVAILABLE', 'The embedded store is closed');
  };
  const checkWritable = (): void => {
    checkOpen();
    if (readOnly) throw new KubeError('KUBE_FORBIDDEN', 'The embedded store was opened to be read only');
  };
  const read = <T>(resource: Resource<KubeObject>, signal: AbortSignal | undefined, work: () => T): T => {
    throwIfAborted(signal);
    checkOpen();
    served.check(resource);
    try {
      return work();
    } catch (thrown) {
      throw kubeErrorOf(thrown);
    }
  };
  const write = async <T>(work: () => T): Promise<T> => {
    checkWritable();
    try {
      const result = work();
      await database.flushed();
      return result;
    } catch (thrown) {
      throw kubeErrorOf(thrown);
    }
  };
  const writeTo = <T extends KubeObject>(resource: Resource<T>, work: () => KubeObject): Promise<T> =>
    write(() => {
      served.check(resource);
      return work() as T;
    });
  const checkStatus = (resource: Resource<KubeObject>): void => {
    if (resource.hasStatus) return;
    throw new KubeError(
      'KUBE_NOT_FOUND',
      `${resource.plural} of ${apiVersionOf(resource)} have no status subresource`,
    );
  };

  return {
    get: async <T extends KubeObject>(resource: Resource<T>, key: ObjectKey, signal?: AbortSignal) =>
      read(resource, signal, () => store.require(resource, key).object as T),
    list: async (resource, listOptions = {}) =>
      read(resource, listOptions.signal, () =>
        database.transaction(() => listPage(store.versions, resource, listOptions)),
      ),
    async *watch(resource, watchOptions) {
      read(resource, watchOptions.signal, () => {});
      checkWritable();
      try {
        yield* watchVersions(source, resource, watchOptions);
      } catch (thrown) {
        throw kubeErrorOf(thrown);
      }
    },
    create: (resource, object) =>
      writeTo(resource, () =>
        store.create(resource, () => createdObject(resource, object, { nowMs: clock.now(), validate })),
      ),
    update: (resource, object) =>
      writeTo(resource, () =>
        store.change(resource, keyOf(object), live => updatedObject(resource, live, object, validate)),
      ),
    updateStatus: (resource, object) =>
      writeTo(resource, () => {
        checkStatus(resource);
        return store.change(resource, keyOf(object), live =>
          objectWithStatus(resource, live, object, validate),
        );
      }),
    mergePatch: (resource, key, patch, { subresource } = {}) =>
      writeTo(resource, () => {
        if (subresource === 'status') checkStatus(resource);
        const next = subresource === 'status' ? objectWithStatus : updatedObject;
        return store.change(resource, key, live => {
          const patched = patchedObject(resource, live, patch);
          return next(resource, live, patched, validate);
        });
      }),
    delete: async (resource, key, preconditions = {}) => {
      await writeTo(resource, () =>
        store.change(resource, key, live => {
          checkPreconditions(resource, live, preconditions);
          return deletedObject(resource, live, clock.now());
        }),
      );
    },
    serves: async resource => served.serves(resource),
    records: collection => openRecords(database, collection, work => write(() => database.transaction(work))),
    async tidy() {
      await collector?.idle();
      await write(tidy);
    },
    close() {
      closed ??= (async () => {
        stopHousekeeping();
        collector?.stop();
        for (const watcher of watchers) watcher(undefined);
        await database.close();
        release();
      })();
      return closed;
    },
  };
}

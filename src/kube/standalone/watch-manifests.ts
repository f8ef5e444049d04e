import type { Clock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { EmbeddedApi } from '../embedded/open.ts';
import { appliedCollection, openAppliedRecords } from './applied-records.ts';
import { type DeclaredSet, declaredSet } from './declared-set.ts';
import { watchFolders } from './folder-watch.ts';
import { manifestFolder } from './manifest-folder.ts';
import { type ManifestProblem, problemText, storeManifestProblems } from './problem.ts';
import { syncDeclared } from './sync.ts';

export interface ManifestOptions {
  /** The folder of manifests. */
  readonly dir: string;
  readonly api: EmbeddedApi;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called once for each problem, when it comes up. */
  readonly onProblem?: ((problem: ManifestProblem) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A folder of manifests that is kept applied. */
export interface ManifestWatch {
  /** Resolves once the folder has been read and applied for the first time, its problems aside. */
  readonly ready: Promise<void>;
  /** What is wrong now. */
  problems(): readonly ManifestProblem[];
  /** Reads the folder now; resolves once it has been applied. */
  sync(): Promise<void>;
  /** Resolves once nothing is under way any longer. The store is left as it is. */
  stop(): Promise<void>;
}

const waitForDeletionMs = 500;

/**
 * Applies a folder of manifests to the embedded store and keeps it applied. Files are YAML or JSON with one
 * or several documents, in sub-folders too. What a removed file, or a removed document, declared is deleted,
 * also where it went while Postern was down. A file that does not parse, or cannot be read, deletes nothing.
 * Where two declare the same object, the first by path counts. Problems are logged once as warnings and kept
 * in the store (`readManifestProblems`). While a manifest stays as it is, its object is left alone; one that
 * somebody else deleted is made again at the next start.
 */
export function watchManifests(options: ManifestOptions): ManifestWatch {
  const { dir, api, clock, logger } = options;
  const folder = manifestFolder(dir);
  const records = openAppliedRecords(api.records(appliedCollection));
  let problems: readonly ManifestProblem[] = [];
  let told: ReadonlySet<string> = new Set();
  let toldUnneeded: ReadonlySet<string> = new Set();
  let first = true;
  /** The content that is applied in full. */
  let finishedRevision: number | undefined;
  let stopped = false;
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  let cancelRetry = (): void => {};

  const watcher = watchFolders(() => void sync(), clock, logger);

  const tellProblems = (found: readonly ManifestProblem[]): void => {
    const texts = new Map(found.map(problem => [problemText(problem), problem]));
    for (const [text, problem] of texts) {
      if (told.has(text)) continue;
      logger.warn(text, { file: problem.file, line: problem.line });
      options.onProblem?.(problem);
    }
    told = new Set(texts.keys());
    problems = Object.freeze(found);
  };
  const tellUnneeded = (unneeded: DeclaredSet['unneeded']): void => {
    const texts = new Map([...unneeded].map(([file, kinds]) => [file, [...new Set(kinds)].join(', ')]));
    const keys = new Set([...texts].map(([file, kinds]) => `${file} ${kinds}`));
    for (const [file, kinds] of texts) {
      if (toldUnneeded.has(`${file} ${kinds}`)) continue;
      logger.info('Manifests of kinds that standalone mode has no use for are passed over', { file, kinds });
    }
    toldUnneeded = keys;
  };

  async function run(): Promise<void> {
    if (stopped) return;
    try {
      const content = await folder.read();
      watcher.setFolders(content.folders);
      if (content.revision === finishedRevision) return;
      const set = declaredSet(dir, content);
      tellUnneeded(set.unneeded);
      const result = await syncDeclared(api, records, dir, set, { verify: first });
      first = false;
      finishedRevision = result.waiting || result.failed ? undefined : content.revision;
      tellProblems(result.problems);
      await storeManifestProblems(api, result.problems);
      const { created, changed, deleted } = result;
      if (created + changed + deleted > 0) {
        logger.info('Manifests applied', { folder: dir, created, changed, deleted });
      }
      cancelRetry();
      if (result.waiting && !stopped) cancelRetry = clock.after(waitForDeletionMs, () => void sync());
    } catch (thrown) {
      if (!stopped)
        logger.error('The manifests could not be applied', { folder: dir, error: messageOf(thrown) });
    }
  }

  /** Never two runs at a time; a call in the middle of one is answered by the one after it. */
  function sync(): Promise<void> {
    next ??= (running ?? Promise.resolve()).then(() => {
      next = undefined;
      running = run();
      return running;
    });
    return next;
  }

  async function stop(): Promise<void> {
    stopped = true;
    watcher.stop();
    cancelRetry();
    await next;
    await running;
  }

  options.signal?.addEventListener('abort', () => void stop(), { once: true });
  if (options.signal?.aborted === true) void stop();
  return { ready: sync(), problems: () => problems, sync, stop };
}

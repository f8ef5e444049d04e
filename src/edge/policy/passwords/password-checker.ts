import { createHmac, randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { LruMap } from '../../../core/lru.ts';
import type { Credentials } from '../basic-auth.ts';

/** What the thread is asked. */
export interface PasswordQuestion {
  readonly id: number;
  readonly password: string;
  readonly hash: string;
}

/** Checks passwords beside the requests. `close` ends its thread. */
export interface PasswordChecker {
  /** What is known already: right or wrong, or undefined where it has to be computed. */
  known(credentials: Credentials, hash: string): boolean | undefined;
  /**
   * Computes it. False where too many are waiting, and where the thread fails: nobody is let in who was not checked.
   * Never rejects.
   */
  check(credentials: Credentials, hash: string): Promise<boolean>;
  close(): void;
}

/** More that wait for the thread are turned away, so that guessing many passwords costs no memory. */
const longestQueue = 64;
const remembered = 1_000;
/** The thread ends when it has had nothing to do for this long, in milliseconds. */
const idleMs = 60_000;

/**
 * A checker with one thread, which begins with the first password. Answers are remembered under a keyed hash of the
 * user, the password and the stored hash, so that neither the password is kept nor a change of the Secret missed. Each
 * user's are remembered apart: a name that shares a hash with another answers no sooner than one that has its own.
 */
export function createPasswordChecker(): PasswordChecker {
  const key = randomBytes(32);
  // Apart, so that wrong guesses drive no right password out.
  const rightOnes = new LruMap<string, true>(remembered);
  const wrongOnes = new LruMap<string, true>(remembered);
  const waiting = new Map<number, { name: string; answer: (right: boolean) => void }>();
  const underWay = new Map<string, Promise<boolean>>();
  let thread: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let lastId = 0;

  const nameOf = ({ user, password }: Credentials, hash: string): string =>
    createHmac('sha256', key)
      .update(JSON.stringify([hash, user, password]))
      .digest('base64');

  const stop = (): void => {
    clearTimeout(idle);
    const stopped = thread;
    thread = undefined;
    for (const { answer } of waiting.values()) answer(false);
    waiting.clear();
    void stopped?.terminate();
  };

  const start = (): Worker => {
    const started = new Worker(threadFile());
    started.on('message', ({ id, right }: { id: number; right: boolean }) => {
      const asked = waiting.get(id);
      waiting.delete(id);
      if (asked !== undefined) (right ? rightOnes : wrongOnes).set(asked.name, true);
      asked?.answer(right);
      if (waiting.size > 0) return;
      clearTimeout(idle);
      idle = setTimeout(stop, idleMs);
      idle.unref();
    });
    started.on('error', () => {
      if (thread === started) stop();
    });
    started.unref();
    return started;
  };

  return {
    known(credentials, hash) {
      const name = nameOf(credentials, hash);
      return rightOnes.get(name) === true ? true : wrongOnes.get(name) === true ? false : undefined;
    },
    check(credentials, hash) {
      const name = nameOf(credentials, hash);
      const asked = underWay.get(name);
      if (asked !== undefined) return asked;
      if (waiting.size >= longestQueue) return Promise.resolve(false);
      const answer = new Promise<boolean>(resolve => {
        clearTimeout(idle);
        lastId += 1;
        waiting.set(lastId, { name, answer: resolve });
        thread ??= start();
        const question: PasswordQuestion = { id: lastId, password: credentials.password, hash };
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
        thread.postMessage(question);
      });
      underWay.set(name, answer);
      void answer.then(() => underWay.delete(name));
      return answer;
    },
    close: stop,
  };
}

/** Beside this file in the sources, and beside the bundle's files under the same name. */
function threadFile(): URL {
  return new URL(`./password-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
}

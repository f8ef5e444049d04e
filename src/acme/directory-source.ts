import type { Clock } from '../core/clock.ts';
import { type AcmeDirectory, directorySchema } from './directory.ts';
import { AcmeError } from './errors.ts';
import { failureOf } from './failed-answer.ts';
import type { GatedRequest } from './gated-exchange.ts';
import type { NoncePool } from './nonces.ts';
import type { AcmeAnswer } from './transport.ts';

/** The directory of one server, fetched when it is needed and kept for an hour. */
export interface DirectorySource {
  get(signal?: AbortSignal): Promise<AcmeDirectory>;
  /** The next `get` fetches it again. */
  forget(): void;
}

const keptMs = 3_600_000;
const doing = 'to give its directory';
/** How long an old directory serves before a new one is asked for again. */
const retryMs = 60_000;

/**
 * A source of the directory at `url`. A directory that lacks a field, or does not parse, is ACME_BAD_ANSWER and is
 * not kept; while a new one cannot be had, an old one serves on.
 */
export function createDirectorySource(parts: {
  url: URL;
  exchange: (request: GatedRequest) => Promise<AcmeAnswer>;
  clock: Clock;
  nonces: NoncePool;
}): DirectorySource {
  const { url, exchange, clock, nonces } = parts;
  let kept: { directory: AcmeDirectory; staleAt: number } | undefined;
  let fetching: Promise<AcmeDirectory> | undefined;

  async function fetch(): Promise<AcmeDirectory> {
    const answer = await exchange({ method: 'GET', url, action: 'get_directory', doing });
    if (answer.status !== 200) throw failureOf(answer, doing, url.host, clock.now());
    const nonce = answer.headers['replay-nonce'];
    nonces.put(Array.isArray(nonce) ? nonce[0] : nonce);
    const directory = parseDirectory(answer.body);
    kept = { directory, staleAt: clock.now() + keptMs };
    return directory;
  }

  function parseDirectory(body: Buffer): AcmeDirectory {
    let json: unknown;
    try {
      json = JSON.parse(body.toString('utf8'));
    } catch {
      throw new AcmeError('ACME_BAD_ANSWER', `The ACME directory ${url.href} is not JSON`);
    }
    const parsed = directorySchema.safeParse(json);
    if (parsed.success) return parsed.data;
    const field = parsed.error.issues[0]?.path.join('.') ?? '';
    const what = field === '' ? 'is no ACME directory' : `lacks a usable "${field}"`;
    throw new AcmeError(
      'ACME_BAD_ANSWER',
      `The ACME directory ${url.href} ${what}; check the issuer's spec.acme.server`,
    );
  }

  return {
    async get(signal) {
      signal?.throwIfAborted();
      if (kept !== undefined && clock.now() < kept.staleAt) return kept.directory;
      // One fetch serves all who wait, so no single caller's signal may end it.
      fetching ??= fetch().finally(() => {
        fetching = undefined;
      });
      try {
        return await untilAborted(fetching, signal);
      } catch (error) {
        signal?.throwIfAborted();
        if (kept === undefined) throw error;
        kept = { ...kept, staleAt: clock.now() + retryMs };
        return kept.directory;
      }
    },
    forget() {
      if (kept !== undefined) kept = { ...kept, staleAt: 0 };
    },
  };
}

/** `work`, or the signal's reason if that comes first; the work itself goes on for the others who wait for it. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

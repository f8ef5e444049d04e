import { messageOf } from '../../core/errors.ts';
import { KubeError } from '../errors.ts';

/** SQLite's primary result codes, as far as they are told apart. Source: sqlite.org/rescode.html. */
const busy = 5;
const corrupt = 11;
const notADatabase = 26;

function resultCodeOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('errcode' in thrown) || typeof thrown.errcode !== 'number')
    return undefined;
  return thrown.errcode & 0xff;
}

/** Whether another connection holds the lock. */
export function isBusy(thrown: unknown): boolean {
  return resultCodeOf(thrown) === busy;
}

/** Whether the file is no database, or a damaged one. */
export function isDamaged(thrown: unknown): boolean {
  const code = resultCodeOf(thrown);
  return code === corrupt || code === notADatabase;
}

/** What a caller of the port gets for anything that was thrown inside the store. KubeErrors pass. */
export function kubeErrorOf(thrown: unknown): unknown {
  if (thrown instanceof KubeError) return thrown;
  if (resultCodeOf(thrown) === undefined) return thrown;
  return new KubeError('KUBE_UNAVAILABLE', `The embedded store failed: ${messageOf(thrown)}`, {
    cause: thrown,
  });
}

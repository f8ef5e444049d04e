import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serialText } from './object-view.ts';

/** What an ACME server has done since it started. */
export interface AcmeTally {
  readonly orders: number;
  /** Serial numbers, as `serialText` writes them, in the order of issuance. */
  readonly issued: readonly string[];
  /**
   * The orders that came to a certificate, each once: where two finalize one in the same instant, Pebble issues for it
   * twice, which a CA with a database does not.
   */
  readonly finalized: ReadonlySet<string>;
}

/** Reads it off Pebble's log, in the folder that `startPebble` was given: no client can have made it up. */
export async function acmeTally(dir: string): Promise<AcmeTally> {
  const log = await readFile(join(dir, 'pebble.log'), 'utf8');
  return {
    orders: [...log.matchAll(/There are now \d+ orders in the db/g)].length,
    issued: [...log.matchAll(/Issued certificate serial ([0-9a-f]+) for order/g)].map(([, serial = '']) =>
      serialText(serial),
    ),
    finalized: new Set(
      [...log.matchAll(/Issued certificate serial [0-9a-f]+ for order (\S+)/g)].map(
        ([, order = '']) => order,
      ),
    ),
  };
}

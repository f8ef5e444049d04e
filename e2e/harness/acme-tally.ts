import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serialText } from './object-view.ts';

/** What an ACME server has done since it started. */
export interface AcmeTally {
  readonly orders: number;
  /** Serial numbers, as `serialText` writes them, in the order of issuance. */
  readonly issued: readonly string[];
}

/** Reads it off Pebble's log, in the folder that `startPebble` was given: no client can have made it up. */
export async function acmeTally(dir: string): Promise<AcmeTally> {
  const log = await readFile(join(dir, 'pebble.log'), 'utf8');
  return {
    orders: [...log.matchAll(/There are now \d+ orders in the db/g)].length,
    issued: [...log.matchAll(/Issued certificate serial ([0-9a-f]+) for order/g)].map(([, serial = '']) =>
      serialText(serial),
    ),
  };
}

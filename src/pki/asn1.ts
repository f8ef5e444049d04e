import { AsnConvert, AsnParser } from '@peculiar/asn1-schema';
import { fromBER } from 'asn1js';
import { isOneDerValue } from './der.ts';

/**
 * What is thrown on bytes that are not what they should be, and on values that have no encoding. Callers translate it
 * into a PkiError.
 */
export class Asn1Error extends Error {}

/** Throws Asn1Error. */
export function damaged(what: string): never {
  throw new Asn1Error(what);
}

/** What `work` gives; all that it throws, as an Asn1Error: the libraries throw errors of every class on rubbish. */
function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Asn1Error(error instanceof Error ? error.message : 'unreadable ASN.1', { cause: error });
  }
}

/** The DER of a value of one of the schema classes. Throws Asn1Error where it holds what cannot be encoded. */
export function encode(value: object): Buffer<ArrayBuffer> {
  return guarded(() => Buffer.from(AsnConvert.serialize(value)));
}

/** Reads the one value of the schema class `type` that `bytes` hold. Throws Asn1Error where they hold something else, or more. */
export function decode<T extends object>(bytes: Uint8Array | ArrayBuffer, type: new () => T): T {
  return guarded(() => {
    const { result } = fromBER(bytes);
    if (result.error !== '') damaged(result.error);
    // asn1js lets pass what follows the value, and lengths that contradict each other.
    if (!isOneDerValue(new Uint8Array(bytes))) damaged('its lengths do not fit');
    return AsnParser.fromASN(result, type);
  });
}

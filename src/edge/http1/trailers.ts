import type { HeaderFields } from '../exchange/header-fields.ts';
import { fieldKind } from './field-kind.ts';
import { parseFields } from './parse-fields.ts';

const maxTrailers = 64;

/**
 * The trailers of a chunked body as they came; undefined for none. `section` ends with its empty line. Gives the fault where
 * it does not parse or holds framing.
 */
export function readTrailers(section: string): HeaderFields | { readonly fault: string } | undefined {
  if (section.length <= 2) return undefined;
  const fields = parseFields(section, 0, section.length - 2, maxTrailers);
  if ('fault' in fields) return fields;
  for (let index = 0; index < fields.count; index += 1) {
    const kind = fields.kind(index);
    if (kind === fieldKind.contentLength || kind === fieldKind.transferEncoding || kind === fieldKind.host)
      return { fault: 'framing in trailers' };
  }
  return fields;
}

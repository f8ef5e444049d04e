import type { HeaderFields } from '../exchange/header-fields.ts';
import { fieldKind } from './field-kind.ts';
import { parseFields } from './parse-fields.ts';
import { withoutFields } from './wire-fields.ts';

const maxTrailers = 64;

/** Fields that steer a message and never come behind its body (RFC 9110 section 6.5.1). */
const neverTrailers: ReadonlySet<string> = new Set([
  'authorization',
  'cache-control',
  'content-encoding',
  'content-range',
  'content-type',
  'cookie',
  'set-cookie',
  'location',
]);

/**
 * The trailers of a chunked body, without what must not stand there; undefined for none. `section` ends with its empty
 * line. Gives the fault where it does not parse or holds framing.
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
  const kept = withoutFields(
    fields,
    (kind, index) => kind !== fieldKind.other || neverTrailers.has(fields.name(index)),
  );
  return kept.count === 0 ? undefined : kept;
}

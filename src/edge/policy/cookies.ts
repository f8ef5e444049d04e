import type { HeaderFields } from '../exchange/header-fields.ts';

/** The value of the first cookie of a name (RFC 6265 section 4.2), over all Cookie fields; HTTP/2 may split them. */
export function cookieOf(fields: HeaderFields, name: string): string | undefined {
  for (let index = 0; index < fields.count; index += 1) {
    if (fields.name(index) !== 'cookie') continue;
    const found = cookieIn(fields.value(index), name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function cookieIn(text: string, name: string): string | undefined {
  for (const pair of text.split(';')) {
    const equals = pair.indexOf('=');
    if (equals < 0 || pair.slice(0, equals).trim() !== name) continue;
    const value = pair.slice(equals + 1).trim();
    return value.startsWith('"') && value.endsWith('"') && value.length > 1 ? value.slice(1, -1) : value;
  }
  return undefined;
}

/**
 * A name as RFC 2253 writes it and nginx passes it on: the most specific part first, separated by commas. `lines` is the
 * name as Node gives it: a part a line, the most general first, with RFC 2253's escapes.
 */
export function distinguishedName(lines: string): string {
  return lines
    .split('\n')
    .filter(line => line !== '')
    .reverse()
    .map(line => escapeHighCharacters(line.replaceAll(' + ', '+')))
    .join(',');
}

/** Header fields hold ASCII: bytes beyond are written as RFC 2253 section 2.4 escapes them. */
function escapeHighCharacters(text: string): string {
  return text.replace(/[^\x20-\x7e]+/gu, characters =>
    [...Buffer.from(characters)]
      .map(byte => `\\${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  );
}

import { hopByHopHeaders } from './hop-by-hop.ts';

/**
 * The header of the answer to the client, names and values in turn: what the upstream sent without hop-by-hop fields.
 * With `upgraded` (status 101) the field that names the new protocol stays.
 */
export function clientHeaders(rawHeaders: readonly string[], upgraded = false): string[] {
  const listed = new Set<string>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if ((rawHeaders[at] ?? '').toLowerCase() !== 'connection') continue;
    for (const token of (rawHeaders[at + 1] ?? '').split(',')) listed.add(token.trim().toLowerCase());
  }
  const headers: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const lower = name.toLowerCase();
    const kept = upgraded && lower === 'upgrade';
    if (!kept && (hopByHopHeaders.has(lower) || listed.has(lower))) continue;
    headers.push(name, rawHeaders[at + 1] ?? '');
  }
  if (upgraded) headers.push('Connection', 'Upgrade');
  return headers;
}

import type { MappingSpec } from '../../api/getambassador/mapping.ts';
import type { HeaderEdits } from '../policy/route-policy.ts';
import { quoted } from './quoted.ts';

/** Header fields to be added, and what keeps some of them from it. */
export interface AddedHeaders {
  readonly edits: Omit<HeaderEdits, 'remove'>;
  readonly unsupported: readonly string[];
  readonly refusals: readonly string[];
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Fields that say how a message is framed or where it goes: the edge's own business. */
const framing: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Reads `add_request_headers` or `add_response_headers`. `append` is true by default: the field that is there stays. */
export function addedHeaders(
  field: 'add_request_headers' | 'add_response_headers',
  headers: MappingSpec['add_request_headers'] = {},
): AddedHeaders {
  const set: [string, string][] = [];
  const add: [string, string][] = [];
  const unsupported: string[] = [];
  const refusals: string[] = [];
  for (const [name, { value = '', append = true }] of Object.entries(headers)) {
    const named = `spec.${field}[${quoted(name)}]`;
    if (!token.test(name) || framing.has(name.toLowerCase())) {
      refusals.push(`${named} is no header that can be set here: remove it`);
    } else if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) {
      refusals.push(`${named} has a value with control characters, or beyond Latin-1: correct it`);
    } else if (/%[A-Z_]+(\([^)]*\))?%/.test(value)) {
      unsupported.push(`${named} is passed over: ${quoted(value)} holds a variable of Envoy`);
    } else {
      (append ? add : set).push([name, value.replaceAll('%%', '%')]);
    }
  }
  return { edits: { set, add }, unsupported, refusals };
}

/** Names in lower case. */
export function removedHeaders(names: readonly string[] = []): string[] {
  return names.map(name => name.toLowerCase()).filter(name => !framing.has(name));
}

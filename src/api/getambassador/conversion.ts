import { apiVersionOf } from '../resource.ts';
import { mappings } from './mapping.ts';
import { tlsContexts } from './tls-context.ts';

type Json = Record<string, unknown>;

const served = apiVersionOf(mappings);
const older: ReadonlySet<string> = new Set(['getambassador.io/v2', 'getambassador.io/v1']);
const kinds: ReadonlySet<string> = new Set([mappings.kind, tlsContexts.kind]);

/** Whether an object is a Mapping or TLSContext of a version that `convertEmissary` reads. */
export function isEmissaryObject(content: { apiVersion?: unknown; kind?: unknown }): boolean {
  const { apiVersion, kind } = content;
  return kinds.has(String(kind)) && (apiVersion === served || older.has(String(apiVersion)));
}

/**
 * A Mapping or TLSContext as `getambassador.io/v3alpha1` writes it: v1 and v2 had one text for a list, `true` for "with
 * whatever value", and bare text for a header. What stands there in no form of theirs is left for the schema to refuse.
 * `tls: true`, of which v3alpha1 knows the text alone, is read in that version too.
 */
export function convertEmissary(content: Json): Json {
  const spec = content['spec'];
  if (!isJson(spec)) return { ...content, apiVersion: served };
  const old = content['apiVersion'] !== served;
  const read = old ? fromOlder(spec) : spec;
  return { ...content, apiVersion: served, spec: withTextualTls(read) };
}

function fromOlder(spec: Json): Json {
  const out: Json = { ...spec };
  convertAt(out, 'ambassador_id', listOf);
  convertAt(out, 'add_request_headers', headersOf);
  convertAt(out, 'add_response_headers', headersOf);
  if (isJson(out['cors'])) {
    const cors: Json = { ...out['cors'] };
    for (const field of ['origins', 'methods', 'headers', 'exposed_headers']) convertAt(cors, field, listOf);
    out['cors'] = cors;
  }
  partBooleans(out, 'headers', 'v2BoolHeaders');
  partBooleans(out, 'query_parameters', 'v2BoolQueryParameters');
  return out;
}

function withTextualTls(spec: Json): Json {
  const { tls, ...rest } = spec;
  if (typeof tls !== 'boolean') return spec;
  return tls ? { ...rest, tls: 'true' } : rest;
}

function convertAt(object: Json, field: string, convert: (value: unknown) => unknown): void {
  if (object[field] !== undefined) object[field] = convert(object[field]);
}

function listOf(value: unknown): unknown {
  return typeof value === 'string'
    ? value
        .split(',')
        .map(part => part.trim())
        .filter(part => part !== '')
    : value;
}

function headersOf(value: unknown): unknown {
  if (!isJson(value)) return value;
  const converted = Object.entries(value).map(([name, header]) => [
    name,
    isJson(header) ? header : { value: String(header) },
  ]);
  return Object.fromEntries(converted) as Json;
}

/** Entries that are `true` ask for a name with whatever value: they go to a list of their own. */
function partBooleans(spec: Json, field: string, into: string): void {
  const values = spec[field];
  if (!isJson(values)) return;
  const entries = Object.entries(values);
  const bare = entries.filter(([, value]) => value === true).map(([name]) => name);
  if (bare.length === 0) return;
  spec[field] = Object.fromEntries(entries.filter(([, value]) => value !== true));
  spec[into] = bare;
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

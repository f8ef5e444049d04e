import { PrivateMaterial } from '../compile/private-material.ts';
import { StoredCertificate } from '../compile/server-certificate.ts';
import type { ServerCertificate } from '../compile/table.ts';
import { compilePattern, type PathPattern } from '../match/path-pattern.ts';
import { plainPolicy } from '../policy/route-policy.ts';

/**
 * What the channel between processes cannot carry, and what stands for it there: private keys, compiled patterns, and the
 * one object of its kind that is compared by identity.
 */
type Stand =
  | { readonly $edge: 'private'; readonly text: string }
  | { readonly $edge: 'pattern'; readonly source: string; readonly ignoreCase: boolean }
  | { readonly $edge: 'plain policy' };

/** A form of the value that the channel carries. Objects in which there is nothing to convert stay as they are. */
export function toWire<T>(value: T): T {
  return converted(value, new Map()) as T;
}

/** `done`: what was converted already; many objects of a table are there more than once. */
function converted(value: unknown, done: Map<object, object>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const known = done.get(value);
  if (known !== undefined) return known;
  const made = convert(value, done);
  done.set(value, made);
  return made;
}

function convert(value: object, done: Map<object, object>): object {
  if (value === plainPolicy) return { $edge: 'plain policy' } satisfies Stand;
  if (value instanceof PrivateMaterial) return { $edge: 'private', text: value.reveal() } satisfies Stand;
  // Its texts are made when they are asked for, by what no copy has.
  if (value instanceof StoredCertificate) {
    const { id, secret, chain, key, notAfterMs } = value;
    return convert({ id, secret, chain, key, notAfterMs } satisfies ServerCertificate, done);
  }
  if (isPattern(value))
    return { $edge: 'pattern', source: value.source, ignoreCase: value.ignoreCase } satisfies Stand;
  if (value instanceof Map) {
    const entries = [...value].map(([key, one]) => [key, converted(one, done)] as const);
    return entries.some(([key, one]) => value.get(key) !== one) ? new Map(entries) : value;
  }
  if (value instanceof Set || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) {
    const items = value.map(one => converted(one, done));
    return items.some((one, index) => value[index] !== one) ? items : value;
  }
  const entries = Object.entries(value).map(([key, one]) => [key, one, converted(one, done)] as const);
  return entries.some(([, before, after]) => before !== after)
    ? Object.fromEntries(entries.map(([key, , after]) => [key, after]))
    : value;
}

function isPattern(value: object): value is PathPattern {
  return 'matches' in value && typeof value.matches === 'function';
}

/**
 * What `toWire` was given, out of what the channel brought, which is changed in place. Throws where a pattern does not
 * compile: it did in the process that sent it.
 */
export function fromWire<T>(value: T): T {
  return restore(value, new Set()) as T;
}

function restore(value: unknown, seen: Set<object>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (isStand(value)) return restored(value);
  if (seen.has(value) || value instanceof Set || ArrayBuffer.isView(value)) return value;
  seen.add(value);
  if (value instanceof Map) {
    for (const [key, one] of value) {
      const after = restore(one, seen);
      if (after !== one) value.set(key, after);
    }
    return value;
  }
  const record = value as Record<string, unknown>;
  for (const key of Object.keys(record)) {
    const one = record[key];
    if (typeof one !== 'object' || one === null) continue;
    const after = restore(one, seen);
    if (after !== one) record[key] = after;
  }
  return value;
}

function isStand(value: object): value is Stand {
  return '$edge' in value;
}

function restored(stand: Stand): object {
  switch (stand.$edge) {
    case 'private':
      return new PrivateMaterial(stand.text);
    case 'plain policy':
      return plainPolicy;
    case 'pattern': {
      const compiled = compilePattern(stand.source, { ignoreCase: stand.ignoreCase });
      if ('error' in compiled) throw new Error(`a pattern does not compile: ${compiled.error}`);
      return compiled.pattern;
    }
  }
}

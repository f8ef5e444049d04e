import type { HeaderFields } from '../exchange/header-fields.ts';

/** Fields of an HTTP/2 message: names in lower case already, pseudo-header fields left out. */
export class Http2Fields implements HeaderFields {
  readonly count: number;
  readonly #list: readonly string[];
  readonly #start: number;

  /** `list` has names and values in turn; the first `start` fields are not among these. */
  constructor(list: readonly string[], start = 0) {
    this.#list = list;
    this.#start = start;
    this.count = (list.length >> 1) - start;
  }

  name(index: number): string {
    return this.#list[(this.#start + index) * 2] ?? '';
  }

  rawName(index: number): string {
    return this.name(index);
  }

  value(index: number): string {
    return this.#list[(this.#start + index) * 2 + 1] ?? '';
  }

  first(name: string): string | undefined {
    for (let at = this.#start * 2; at + 1 < this.#list.length; at += 2)
      if (this.#list[at] === name) return this.#list[at + 1];
    return undefined;
  }
}

/** How many pseudo-header fields a list of names and values begins with. */
export function pseudoFieldCount(list: readonly string[]): number {
  let count = 0;
  while (list[count * 2]?.startsWith(':') === true) count += 1;
  return count;
}

/** The fields of a received header section without its pseudo-header fields. */
export function regularFields(list: readonly string[]): Http2Fields {
  return new Http2Fields(list, pseudoFieldCount(list));
}

/**
 * Fields that name what is done with the connection, which HTTP/2 has no place for (RFC 9113 section 8.2.2), and those
 * that say how long the body is, which is told apart.
 */
const notCarried: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** What would end a field in another protocol, or in the list that Node hands to its HTTP/2 library. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const unfit = /[\0\r\n]/;

/** Appends fields to a list of names and values, without those that HTTP/2 has no place for. */
export function appendFields(list: string[], fields: HeaderFields): void {
  for (let index = 0; index < fields.count; index += 1) {
    const name = fields.name(index);
    if (name.startsWith(':') || notCarried.has(name)) continue;
    const value = fields.value(index);
    if (!unfit.test(value)) list.push(name, value);
  }
}

/** Fields as an object, as Node takes them for interim answers. */
export function interimFields(status: number, fields: HeaderFields | undefined): Record<string, string[]> {
  const list: string[] = [':status', String(status)];
  if (fields !== undefined) appendFields(list, fields);
  return grouped(list);
}

/** Trailers as an object, as Node takes them. */
export function trailerFields(fields: HeaderFields | undefined): Record<string, string[]> {
  const list: string[] = [];
  if (fields !== undefined) appendFields(list, fields);
  return grouped(list);
}

function grouped(list: readonly string[]): Record<string, string[]> {
  const object: Record<string, string[]> = Object.create(null);
  for (let at = 0; at + 1 < list.length; at += 2) {
    const name = list[at] ?? '';
    object[name] = [...(object[name] ?? []), list[at + 1] ?? ''];
  }
  return object;
}

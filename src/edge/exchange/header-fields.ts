/**
 * The fields of a message in the order in which they came, repeated ones as often as they came. An HTTP/1.1 connection
 * implements it over the bytes as they stood on the wire, so that nothing is copied that nobody asks for.
 */
export interface HeaderFields {
  readonly count: number;
  /** In lower case. */
  name(index: number): string;
  /** As it was written; equal to `name` where the protocol has lower case alone (HTTP/2). */
  rawName(index: number): string;
  /** Without blanks around it, a byte a character. */
  value(index: number): string;
  /** The value of the first field of this name (lower case). */
  first(name: string): string | undefined;
  /** All of them as they go over HTTP/1.1, each ended by CRLF, where that is at hand. */
  readonly wire?: string | undefined;
}

/** Fields from a list of names and values in turn. */
export function headerFieldsOf(namesAndValues: readonly string[]): HeaderFields {
  return new ListedFields(namesAndValues);
}

class ListedFields implements HeaderFields {
  readonly count: number;
  readonly #list: readonly string[];
  #wire: string | undefined;

  constructor(list: readonly string[]) {
    this.#list = list;
    this.count = list.length >> 1;
  }

  name(index: number): string {
    return this.rawName(index).toLowerCase();
  }

  rawName(index: number): string {
    return this.#list[index * 2] ?? '';
  }

  value(index: number): string {
    return this.#list[index * 2 + 1] ?? '';
  }

  first(name: string): string | undefined {
    for (let at = 0; at < this.count; at += 1) if (this.name(at) === name) return this.value(at);
    return undefined;
  }

  get wire(): string {
    this.#wire ??= written(this);
    return this.#wire;
  }
}

/** Fields as HTTP/1.1 writes them, each ended by CRLF. Names and values that it could not carry are left out. */
export function wireOf(fields: HeaderFields): string {
  return fields.wire ?? written(fields);
}

function written(fields: HeaderFields): string {
  let text = '';
  for (let at = 0; at < fields.count; at += 1) {
    const name = fields.rawName(at);
    const value = fields.value(at);
    if (fieldName.test(name) && fieldValue.test(value)) text += `${name}: ${value}\r\n`;
  }
  return text;
}

const fieldName = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/;
/** HTAB, and a byte a character without the other control characters. */
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;

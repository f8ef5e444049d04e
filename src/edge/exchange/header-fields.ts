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
}

/** Fields from a list of names and values in turn. */
export function headerFieldsOf(namesAndValues: readonly string[]): HeaderFields {
  return new ListedFields(namesAndValues);
}

class ListedFields implements HeaderFields {
  readonly count: number;
  readonly #list: readonly string[];

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
}

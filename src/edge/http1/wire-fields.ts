import type { HeaderFields } from '../exchange/header-fields.ts';

/** Numbers that are kept of a field: where its name and value begin and end, and its `fieldKind`. */
export const fieldStride = 5;

/**
 * The fields of a message as they stood on the wire: the text of the head, and where in it each field is. Two of them that
 * are made of one text share it.
 */
export class WireFields implements HeaderFields {
  readonly count: number;
  readonly text: string;
  /** `fieldStride` numbers a field. */
  readonly marks: readonly number[];
  #wire: string | undefined;
  /** What was last made of these fields, and of what else: kept by who made it, since messages repeat themselves. */
  derived: { readonly from: unknown; readonly and: unknown; readonly fields: HeaderFields } | undefined;

  constructor(text: string, marks: readonly number[]) {
    this.text = text;
    this.marks = marks;
    this.count = marks.length / fieldStride;
    this.derived = undefined;
  }

  kind(index: number): number {
    return this.marks[index * fieldStride + 4] ?? 0;
  }

  name(index: number): string {
    return this.rawName(index).toLowerCase();
  }

  rawName(index: number): string {
    return this.#between(index * fieldStride);
  }

  value(index: number): string {
    return this.#between(index * fieldStride + 2);
  }

  first(name: string): string | undefined {
    const { marks } = this;
    for (let at = 0; at < marks.length; at += fieldStride) {
      const start = marks[at] ?? 0;
      const end = marks[at + 1] ?? 0;
      if (end - start === name.length && this.#between(at).toLowerCase() === name)
        return this.#between(at + 2);
    }
    return undefined;
  }

  /** Neighbours on the wire are taken over in one piece. */
  get wire(): string {
    this.#wire ??= this.#join();
    return this.#wire;
  }

  #join(): string {
    const { text, marks } = this;
    let joined = '';
    let from = -1;
    let to = -1;
    for (let at = 0; at < marks.length; at += fieldStride) {
      const start = marks[at] ?? 0;
      if (start !== to) {
        if (from >= 0) joined += text.slice(from, to);
        from = start;
      }
      // Blanks behind the value belong to the field.
      to = text.indexOf('\n', marks[at + 3] ?? 0) + 1;
    }
    return from < 0 ? '' : joined + text.slice(from, to);
  }

  #between(at: number): string {
    return this.text.slice(this.marks[at], this.marks[at + 1]);
  }
}

/** The fields but those for which `drop` gives true, over the same text. */
export function withoutFields(all: WireFields, drop: (kind: number, index: number) => boolean): WireFields {
  const marks: number[] = [];
  for (let index = 0; index < all.count; index += 1) {
    if (drop(all.kind(index), index)) continue;
    const at = index * fieldStride;
    for (let mark = at; mark < at + fieldStride; mark += 1) marks.push(all.marks[mark] ?? 0);
  }
  return new WireFields(all.text, marks);
}

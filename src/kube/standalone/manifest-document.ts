import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
} from 'yaml';
import { messageOf } from '../../core/errors.ts';

/** A place in a file; both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** One object of a file: a YAML document, or an item of a List. */
export interface ManifestDocument {
  readonly place: Place;
  /** Plain data, as it was written. */
  readonly content: unknown;
  /** Where a field stands, written as in `spec.rules[0].host`; the nearest one above it that is there. */
  placeOf(field: string): Place;
}

/** A file that was read, or why it cannot be. */
export type ParsedFile =
  | { readonly documents: readonly ManifestDocument[] }
  | { readonly error: Place & { readonly message: string } };

/** The steps of a field's path: `metadata.annotations["a.b/c"]` and `spec.rules[0].host`. */
function stepsOf(field: string): (string | number)[] {
  return [...field.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|([^.[\]]+)/g)].map(
    ([, index, quoted, name]) => {
      if (index !== undefined) return Number(index);
      return quoted === undefined ? (name ?? '') : String(JSON.parse(quoted));
    },
  );
}

/** The parser's sentence without the text that it stumbled on: that may be part of a Secret. */
function withoutSource(message: string): string {
  return message.replace(/( in YAML stream| at node end)?: ".*"$/s, '$1').slice(0, 200);
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? (node.range?.[0] ?? undefined) : undefined;
}

/** Goes down from a node along a path, as far as the path is there. Gives the offset of what it came to. */
function offsetOf(document: Document, from: Node, steps: readonly (string | number)[]): number {
  let node: unknown = from;
  let offset = startOf(from) ?? 0;
  for (const step of steps) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) break;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      if (node === undefined) break;
      offset = startOf(node) ?? offset;
    } else {
      break;
    }
  }
  return offset;
}

function isListKind(content: unknown): content is { items: unknown[] } {
  return (
    typeof content === 'object' &&
    content !== null &&
    'kind' in content &&
    typeof content.kind === 'string' &&
    content.kind.endsWith('List') &&
    'items' in content &&
    Array.isArray(content.items)
  );
}

/**
 * Reads a file of manifests: YAML 1.2 with merge keys, JSON with it; several documents; Lists opened. Where
 * any part does not parse, the whole file is in error: its first mistake may have swallowed what comes after.
 */
export function parseManifests(text: string): ParsedFile {
  const counter = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = counter.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const documents: ManifestDocument[] = [];
  // Pretty errors would quote the lines of the file.
  const options = { lineCounter: counter, prettyErrors: false, merge: true, logLevel: 'error' } as const;
  const parsed: readonly Document[] = parseAllDocuments(text, options);
  for (const document of parsed) {
    const [error] = document.errors;
    if (error !== undefined) {
      return { error: { ...placeAt(error.pos[0]), message: withoutSource(error.message) } };
    }
    const root: unknown = document.contents;
    if (!isNode(root)) continue;
    let content: unknown;
    try {
      content = document.toJS();
    } catch (thrown) {
      return { error: { ...placeAt(startOf(root) ?? 0), message: withoutSource(messageOf(thrown)) } };
    }
    if (content === null || content === undefined) continue;
    const add = (item: unknown, prefix: readonly (string | number)[]): void => {
      documents.push({
        content: item,
        place: placeAt(offsetOf(document, root, prefix)),
        placeOf: field => placeAt(offsetOf(document, root, [...prefix, ...stepsOf(field)])),
      });
    };
    if (isListKind(content)) for (const [index, item] of content.items.entries()) add(item, ['items', index]);
    else add(content, []);
  }
  return { documents };
}

/** A regular expression, parsed. `set` holds a 1 for each ASCII character that it accepts. */
export type PatternNode =
  | { readonly kind: 'set'; readonly set: Uint8Array }
  | { readonly kind: 'start' | 'end' }
  | { readonly kind: 'sequence' | 'either'; readonly nodes: readonly PatternNode[] }
  /** A capturing group; the first one has the number 1. */
  | { readonly kind: 'group'; readonly number: number; readonly node: PatternNode }
  | {
      readonly kind: 'repeat';
      readonly node: PatternNode;
      readonly min: number;
      readonly max: number | undefined;
      /** As few times as possible. */
      readonly lazy: boolean;
    };

const maxLength = 512;
const maxRepeat = 100;
const maxDepth = 20;

function setOf(accepts: (char: string) => boolean): Uint8Array {
  return Uint8Array.from({ length: 128 }, (_, code) => (accepts(String.fromCharCode(code)) ? 1 : 0));
}

const shorthands: Readonly<Record<string, Uint8Array>> = {
  d: setOf(char => /\d/.test(char)),
  D: setOf(char => /\D/.test(char)),
  w: setOf(char => /\w/.test(char)),
  W: setOf(char => /\W/.test(char)),
  s: setOf(char => /\s/.test(char)),
  S: setOf(char => /\S/.test(char)),
};
const anyCharacter = setOf(char => char !== '\n' && char !== '\r');

class Refusal extends Error {}

/** How letters are compared. */
export interface PatternOptions {
  /** `a` in the pattern stands for `A` too, and the other way round. */
  readonly ignoreCase?: boolean;
}

/**
 * Parses the part of the regular expression syntax that RE2, PCRE and JavaScript share: literals, `.`, classes, `\d`
 * `\w` `\s`, groups, `|`, `*` `+` `?` `{n,m}` (lazy or not), `^` and `$`. Everything else is refused with a sentence.
 */
export function parsePattern(
  source: string,
  { ignoreCase = false }: PatternOptions = {},
): { node: PatternNode } | { error: string } {
  if (source.length > maxLength) return { error: `it is longer than ${maxLength} characters` };
  if (/[^\x20-\x7e]/.test(source))
    return { error: 'it has a character beyond ASCII; write it percent-encoded' };
  try {
    const parser = new Parser(source, ignoreCase);
    return { node: parser.whole() };
  } catch (error) {
    if (error instanceof Refusal) return { error: error.message };
    throw error;
  }
}

class Parser {
  readonly #source: string;
  #at = 0;
  #depth = 0;
  #groups = 0;
  readonly #ignoreCase: boolean;

  constructor(source: string, ignoreCase: boolean) {
    this.#source = source;
    this.#ignoreCase = ignoreCase;
  }

  whole(): PatternNode {
    const node = this.#either();
    if (this.#at < this.#source.length) throw new Refusal(`")" at ${this.#at} closes nothing`);
    return node;
  }

  #peek(): string {
    return this.#source.charAt(this.#at);
  }

  #take(): string {
    const char = this.#peek();
    if (char === '') throw new Refusal('it ends too early');
    this.#at += 1;
    return char;
  }

  #takeIf(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #either(): PatternNode {
    this.#depth += 1;
    if (this.#depth > maxDepth) throw new Refusal(`its groups are nested more than ${maxDepth} deep`);
    const nodes = [this.#sequence()];
    while (this.#takeIf('|')) nodes.push(this.#sequence());
    this.#depth -= 1;
    return nodes.length === 1 && nodes[0] !== undefined ? nodes[0] : { kind: 'either', nodes };
  }

  #sequence(): PatternNode {
    const nodes: PatternNode[] = [];
    while (this.#peek() !== '' && this.#peek() !== '|' && this.#peek() !== ')') {
      nodes.push(this.#repeated(this.#atom()));
    }
    return { kind: 'sequence', nodes };
  }

  #atom(): PatternNode {
    const char = this.#take();
    if (char === '^') return { kind: 'start' };
    if (char === '$') return { kind: 'end' };
    if (char === '.') return { kind: 'set', set: anyCharacter };
    if (char === '(') return this.#group();
    if (char === '[') return { kind: 'set', set: this.#characterClass() };
    if (char === '\\') return { kind: 'set', set: this.#folded(this.#escape()) };
    if ('*+?{'.includes(char)) throw new Refusal(`"${char}" at ${this.#at - 1} repeats nothing`);
    return { kind: 'set', set: this.#folded(setOf(other => other === char)) };
  }

  /** Before a class is negated: `[^a]` accepts neither `a` nor `A`. */
  #folded(set: Uint8Array): Uint8Array {
    if (!this.#ignoreCase) return set;
    return setOf(
      char => set[char.toLowerCase().charCodeAt(0)] === 1 || set[char.toUpperCase().charCodeAt(0)] === 1,
    );
  }

  #group(): PatternNode {
    const special = this.#takeIf('?');
    if (special && !this.#takeIf(':')) {
      throw new Refusal('look-around, named groups and inline flags, "(?...", are not supported');
    }
    const number = special ? 0 : ++this.#groups;
    const node = this.#either();
    if (!this.#takeIf(')')) throw new Refusal('a "(" is never closed');
    return special ? node : { kind: 'group', number, node };
  }

  #escape(): Uint8Array {
    const char = this.#take();
    const shorthand = shorthands[char];
    if (shorthand !== undefined) return shorthand;
    if (/[A-Za-z0-9]/.test(char)) throw new Refusal(`"\\${char}" is not supported`);
    return setOf(other => other === char);
  }

  #characterClass(): Uint8Array {
    const negated = this.#takeIf('^');
    const set = new Uint8Array(128);
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      const from = this.#classMember();
      if (typeof from !== 'string') {
        for (const [code, accepted] of from.entries()) if (accepted === 1) set[code] = 1;
        continue;
      }
      const ranged = this.#peek() === '-' && this.#source.charAt(this.#at + 1) !== ']' && this.#takeIf('-');
      const to = ranged ? this.#classMember() : from;
      if (typeof to !== 'string' || to < from)
        throw new Refusal(`the range at ${this.#at} in "[...]" is not in order`);
      set.fill(1, from.charCodeAt(0), to.charCodeAt(0) + 1);
    }
    this.#take();
    const folded = this.#folded(set);
    return negated ? folded.map(accepted => 1 - accepted) : folded;
  }

  #classMember(): string | Uint8Array {
    const char = this.#take();
    if (char === '[' && /[:.=]/.test(this.#peek()))
      throw new Refusal('POSIX classes, "[[:", are not supported');
    if (char !== '\\') return char;
    const escaped = this.#peek();
    const shorthand = shorthands[escaped];
    if (shorthand === undefined && /[A-Za-z0-9]/.test(escaped))
      throw new Refusal(`"\\${escaped}" is not supported`);
    this.#take();
    return shorthand ?? escaped;
  }

  #repeated(node: PatternNode): PatternNode {
    let bounds: { min: number; max: number | undefined } | undefined;
    if (this.#takeIf('*')) bounds = { min: 0, max: undefined };
    else if (this.#takeIf('+')) bounds = { min: 1, max: undefined };
    else if (this.#takeIf('?')) bounds = { min: 0, max: 1 };
    else if (this.#peek() === '{') bounds = this.#bounds();
    if (bounds === undefined) return node;
    if (node.kind === 'start' || node.kind === 'end') throw new Refusal('"^" and "$" cannot be repeated');
    const lazy = this.#takeIf('?');
    if ('*+?{'.includes(this.#peek()) && this.#peek() !== '') {
      throw new Refusal(`"${this.#peek()}" at ${this.#at} repeats a repetition`);
    }
    // Nothing, however often: rounds within rounds of it would be gone through one by one, and add no step that is counted.
    return isNothing(node) ? node : { kind: 'repeat', node, ...bounds, lazy };
  }

  #bounds(): { min: number; max: number | undefined } {
    const [text, low = '', comma, high] = /^\{(\d+)(,)?(\d+)?\}/.exec(this.#source.slice(this.#at)) ?? [];
    if (text === undefined)
      throw new Refusal(`the "{" at ${this.#at} is no repetition; write "\\{" for the character`);
    this.#at += text.length;
    const min = Number(low);
    const max = comma === undefined ? min : high === undefined ? undefined : Number(high);
    if (min > maxRepeat || (max ?? 0) > maxRepeat || (max ?? min) < min) {
      throw new Refusal(`${text} is out of order or beyond ${maxRepeat}`);
    }
    return { min, max };
  }
}

/** Whether a node has no part that could match or fail: `(?:)`. */
function isNothing(node: PatternNode): boolean {
  switch (node.kind) {
    case 'sequence':
    case 'either':
      return node.nodes.every(isNothing);
    case 'group':
    case 'repeat':
      return isNothing(node.node);
    default:
      return false;
  }
}

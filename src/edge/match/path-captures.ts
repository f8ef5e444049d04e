import { type PatternNode, type PatternOptions, parsePattern } from './pattern-syntax.ts';

/**
 * What the groups of a pattern took of a path: the whole match first, then each group by its number, `''` for one that
 * took no part. Undefined where the path does not match.
 */
export type CaptureGroups = (path: string) => readonly string[] | undefined;

/** One step of a program; `set` consumes a character. A fork tries `to` before `orTo`. */
type Step =
  | { readonly kind: 'set'; readonly set: Uint8Array }
  | { readonly kind: 'fork'; to: number; orTo: number }
  | { readonly kind: 'mark'; readonly slot: number }
  | { readonly kind: 'start' | 'end' | 'match' };

/** A place in the program, and where the groups began and ended on the way there. */
interface Thread {
  readonly place: number;
  readonly marks: readonly number[];
}

const maxSteps = 2_000;

/**
 * Compiles a pattern to one that tells its groups. Alternatives are preferred as backtracking engines prefer them (the
 * first one, greedy repetitions long, lazy ones short), in time linear in the path (Pike's construction, as in RE2).
 * The pattern is anchored at the beginning. Gives a sentence in `error` where it is refused.
 */
export function compileCaptures(
  source: string,
  options: PatternOptions = {},
): { captures: CaptureGroups } | { error: string } {
  const parsed = parsePattern(source, options);
  if ('error' in parsed) return parsed;
  const program = new Program();
  if (!program.add(parsed.node)) return { error: `it is too large: it needs more than ${maxSteps} steps` };
  program.steps.push({ kind: 'match' });
  const { steps, groups } = program;
  return { captures: path => run(steps, groups, path) };
}

class Program {
  readonly steps: Step[] = [];
  groups = 0;

  /** Appends the steps of a node; false once there are too many. */
  add(node: PatternNode): boolean {
    if (this.steps.length > maxSteps) return false;
    switch (node.kind) {
      case 'set':
        this.steps.push({ kind: 'set', set: node.set });
        return true;
      case 'start':
      case 'end':
        this.steps.push({ kind: node.kind });
        return true;
      case 'sequence':
        return node.nodes.every(part => this.add(part));
      case 'either':
        return this.#addEither(node.nodes);
      case 'group':
        return this.#addGroup(node);
      default:
        return this.#addRepeat(node);
    }
  }

  #addGroup({ number, node }: PatternNode & { kind: 'group' }): boolean {
    this.groups = Math.max(this.groups, number);
    this.steps.push({ kind: 'mark', slot: number * 2 });
    const added = this.add(node);
    this.steps.push({ kind: 'mark', slot: number * 2 + 1 });
    return added;
  }

  #addEither(nodes: readonly PatternNode[]): boolean {
    const exits: (Step & { kind: 'fork' })[] = [];
    for (const [index, node] of nodes.entries()) {
      const last = index === nodes.length - 1;
      const fork = this.#fork(!last);
      if (!this.add(node)) return false;
      if (fork === undefined) continue;
      const exit = this.#fork(true);
      if (exit !== undefined) exits.push(exit);
      fork.orTo = this.steps.length;
    }
    for (const exit of exits) exit.to = exit.orTo = this.steps.length;
    return true;
  }

  /** A fork that goes on with the next step, and else where `orTo` is set to. */
  #fork(wanted: boolean): (Step & { kind: 'fork' }) | undefined {
    if (!wanted) return undefined;
    const fork = { kind: 'fork' as const, to: this.steps.length + 1, orTo: 0 };
    this.steps.push(fork);
    return fork;
  }

  #addRepeat({ node, min, max, lazy }: PatternNode & { kind: 'repeat' }): boolean {
    for (let count = 0; count < min; count += 1) if (!this.add(node)) return false;
    const skips: (Step & { kind: 'fork' })[] = [];
    const optional = max === undefined ? 1 : max - min;
    for (let count = 0; count < optional; count += 1) {
      const at = this.steps.length;
      const skip = { kind: 'fork' as const, to: at + 1, orTo: 0 };
      this.steps.push(skip);
      skips.push(skip);
      if (!this.add(node)) return false;
      if (max === undefined) this.steps.push({ kind: 'fork', to: at, orTo: at });
    }
    for (const skip of skips) {
      skip.orTo = this.steps.length;
      if (lazy) [skip.to, skip.orTo] = [skip.orTo, skip.to];
    }
    return true;
  }
}

/** Moves all threads on by one character at a time, the preferred ones first. */
function run(steps: readonly Step[], groups: number, path: string): readonly string[] | undefined {
  const seen = new Int32Array(steps.length).fill(-1);
  let matched: readonly number[] | undefined;
  let matchedTo = 0;
  let threads = reach(steps, [{ place: 0, marks: [] }], 0, path.length, seen);
  for (let at = 0; threads.length > 0; at += 1) {
    const next: Thread[] = [];
    for (const { place, marks } of threads) {
      const step = steps[place];
      if (step?.kind === 'match') {
        matched = marks;
        matchedTo = at;
        // What is left is preferred less.
        break;
      }
      if (step?.kind === 'set' && at < path.length && step.set[path.charCodeAt(at)] === 1)
        next.push({ place: place + 1, marks });
    }
    threads = reach(steps, next, at + 1, path.length, seen);
  }
  if (matched === undefined) return undefined;
  const taken = [path.slice(0, matchedTo)];
  for (let group = 1; group <= groups; group += 1) {
    const from = matched[group * 2] ?? -1;
    const to = matched[group * 2 + 1] ?? -1;
    taken.push(from >= 0 && to >= from ? path.slice(from, to) : '');
  }
  return taken;
}

/** The consuming steps, and the end, that can be reached without consuming anything, in order of preference. */
function reach(
  steps: readonly Step[],
  from: readonly Thread[],
  at: number,
  end: number,
  seen: Int32Array,
): Thread[] {
  const found: Thread[] = [];
  const open = from.toReversed();
  for (let thread = open.pop(); thread !== undefined; thread = open.pop()) {
    const { place, marks } = thread;
    if (seen[place] === at) continue;
    seen[place] = at;
    const step = steps[place];
    if (step === undefined) continue;
    if (step.kind === 'set' || step.kind === 'match') found.push(thread);
    else if (step.kind === 'fork') open.push({ place: step.orTo, marks }, { place: step.to, marks });
    else if (step.kind === 'mark') open.push({ place: place + 1, marks: marked(marks, step.slot, at) });
    else if ((step.kind === 'start' && at === 0) || (step.kind === 'end' && at === end))
      open.push({ place: place + 1, marks });
  }
  return found;
}

function marked(marks: readonly number[], slot: number, at: number): readonly number[] {
  const changed = marks.slice();
  while (changed.length < slot) changed.push(-1);
  changed[slot] = at;
  return changed;
}

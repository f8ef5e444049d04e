import { type PatternNode, type PatternOptions, parsePattern } from './pattern-syntax.ts';

/** A path's regular expression. Matching takes time linear in the path, whatever the pattern. */
export interface PathPattern {
  readonly source: string;
  /** Upper and lower case are the same. */
  readonly ignoreCase: boolean;
  /** Whether the pattern matches from the beginning of a canonical path; the end is open unless `$` closes it. */
  matches(path: string): boolean;
}

/** One step of a compiled pattern; `set` consumes a character, the others consume none. */
type Step =
  | { readonly kind: 'set'; readonly set: Uint8Array }
  | { kind: 'fork'; to: number; orTo: number }
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }
  | { readonly kind: 'match' };

const maxSteps = 500;

/**
 * Compiles a regular expression. JavaScript's own engine backtracks, and one crafted path can hold it for minutes;
 * this one follows all alternatives at once (Thompson's construction), so it has no back-references and no
 * look-around. Gives a sentence in `error` where the pattern is refused.
 */
export function compilePattern(
  source: string,
  options: PatternOptions = {},
): { pattern: PathPattern } | { error: string } {
  const parsed = parsePattern(source, options);
  if ('error' in parsed) return parsed;
  const steps: Step[] = [];
  if (!emit(parsed.node, steps)) return { error: `it is too large: it needs more than ${maxSteps} steps` };
  steps.push({ kind: 'match' });
  return { pattern: { source, ignoreCase: options.ignoreCase ?? false, matches: path => run(steps, path) } };
}

/** Appends the steps for a node; false once there are too many. */
function emit(node: PatternNode, steps: Step[]): boolean {
  if (steps.length > maxSteps) return false;
  switch (node.kind) {
    case 'set':
    case 'start':
    case 'end':
      steps.push(node.kind === 'set' ? { kind: 'set', set: node.set } : { kind: node.kind });
      return true;
    case 'sequence':
      return node.nodes.every(part => emit(part, steps));
    case 'either':
      return emitEither(node.nodes, steps);
    case 'group':
      return emit(node.node, steps);
    default:
      return emitRepeat(node, steps);
  }
}

function emitEither(nodes: readonly PatternNode[], steps: Step[]): boolean {
  const exits: { kind: 'fork'; to: number; orTo: number }[] = [];
  for (const [index, node] of nodes.entries()) {
    if (index === nodes.length - 1) {
      if (!emit(node, steps)) return false;
      continue;
    }
    const fork = { kind: 'fork' as const, to: steps.length + 1, orTo: 0 };
    steps.push(fork);
    if (!emit(node, steps)) return false;
    const exit = { kind: 'fork' as const, to: 0, orTo: 0 };
    steps.push(exit);
    exits.push(exit);
    fork.orTo = steps.length;
  }
  for (const exit of exits) exit.to = exit.orTo = steps.length;
  return true;
}

function emitRepeat(node: PatternNode & { kind: 'repeat' }, steps: Step[]): boolean {
  for (let count = 0; count < node.min; count += 1) if (!emit(node.node, steps)) return false;
  if (node.max === undefined) {
    const loop = { kind: 'fork' as const, to: steps.length + 1, orTo: 0 };
    const loopAt = steps.length;
    steps.push(loop);
    if (!emit(node.node, steps)) return false;
    steps.push({ kind: 'fork', to: loopAt, orTo: loopAt });
    loop.orTo = steps.length;
    return true;
  }
  const skips: { kind: 'fork'; to: number; orTo: number }[] = [];
  for (let count = node.min; count < node.max; count += 1) {
    const skip = { kind: 'fork' as const, to: steps.length + 1, orTo: 0 };
    steps.push(skip);
    skips.push(skip);
    if (!emit(node.node, steps)) return false;
  }
  for (const skip of skips) skip.orTo = steps.length;
  return true;
}

/** All the places a match can be at, moved on by one character at a time. */
function run(steps: readonly Step[], path: string): boolean {
  const seen = new Int32Array(steps.length).fill(-1);
  let places = reach(steps, [0], 0, path.length, seen);
  for (let at = 0; at <= path.length; at += 1) {
    if (places === 'matched') return true;
    if (places.length === 0 || at === path.length) return false;
    const code = path.charCodeAt(at);
    const next: number[] = [];
    for (const place of places) {
      const step = steps[place];
      if (step?.kind === 'set' && step.set[code] === 1) next.push(place + 1);
    }
    places = reach(steps, next, at + 1, path.length, seen);
  }
  return false;
}

/** What can be reached from `from` without consuming anything: the consuming steps, or that all is matched. */
function reach(
  steps: readonly Step[],
  from: number[],
  at: number,
  end: number,
  seen: Int32Array,
): number[] | 'matched' {
  const found: number[] = [];
  const open = from;
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (seen[place] === at) continue;
    seen[place] = at;
    const step = steps[place];
    if (step?.kind === 'match') return 'matched';
    if (step?.kind === 'set') found.push(place);
    else if (step?.kind === 'fork') open.push(step.to, step.orTo);
    else if ((step?.kind === 'start' && at === 0) || (step?.kind === 'end' && at === end))
      open.push(place + 1);
  }
  return found;
}

import { urlMatchModeProperty } from '../../api/annotations.ts';
import type { HttpIngressPath } from '../../api/kubernetes/ingress.ts';
import { canonicalRulePath } from '../match/canonical-path.ts';
import { elementCount, prefixKey } from '../match/path-elements.ts';
import { compilePattern, type PathPattern } from '../match/path-pattern.ts';
import { quoted } from './annotations.ts';
import { widerPattern } from './refused-pattern.ts';

/** A path of a rule, read: how it is compared, and with what. `key` is equal for paths that match the same. */
export type PathRule =
  | { readonly kind: 'Exact' | 'Prefix'; readonly key: string }
  | {
      readonly kind: 'Regex';
      readonly key: string;
      readonly pattern: PathPattern;
      readonly elements: number;
    };

/** Why a path is passed over. A pattern that is refused may stand for more paths than are known: for those of `wider` at most. */
export interface PathError {
  readonly error: string;
  readonly wider?: PathRule | undefined;
}

/** CCE's match modes of ImplementationSpecific paths. */
const kindOfMode: Readonly<Record<string, PathRule['kind']>> = {
  STARTS_WITH: 'Prefix',
  EQUAL_TO: 'Exact',
  REGEX: 'Regex',
};

/**
 * Reads a path of a rule (edge.md, statement 7 and the text on CCE). ImplementationSpecific, and no type at all,
 * is Prefix, unless `annotatedMode` or the path's own property names another match mode.
 */
export function readPathRule(path: HttpIngressPath, annotatedMode: string | undefined): PathRule | PathError {
  const specific = path.pathType !== 'Exact' && path.pathType !== 'Prefix';
  const mode = (path.property?.[urlMatchModeProperty] ?? annotatedMode ?? 'STARTS_WITH').trim().toUpperCase();
  const kind = specific ? kindOfMode[mode] : path.pathType === 'Exact' ? 'Exact' : 'Prefix';
  if (kind === undefined) {
    return { error: `${urlMatchModeProperty} is ${quoted(mode)}: use "STARTS_WITH", "EQUAL_TO" or "REGEX"` };
  }
  const text = (path.path ?? '') === '' && specific ? '/' : (path.path ?? '');
  if (kind === 'Regex') return readRegex(text);
  const canonical = canonicalRulePath(text);
  if (canonical === undefined) {
    return {
      error: 'it must begin with "/" and hold no "..", "?", "#", backslash or broken percent-encoding',
    };
  }
  return { kind, key: kind === 'Prefix' ? prefixKey(canonical) : canonical };
}

/** Memoised: one Ingress of a host can make hundreds of paths of others patterns. */
const regexRules = new WeakMap<HttpIngressPath, PathRule | PathError>();

/**
 * Reads a path of a host whose paths are regular expressions, whatever their types say: from the beginning, open at the
 * end, in any case of letters. The longest text is tried first (ingress-nginx, ingress path matching).
 */
export function readRegexPathRule(path: HttpIngressPath): PathRule | PathError {
  const known = regexRules.get(path);
  if (known !== undefined) return known;
  const rule = readRegex((path.path ?? '') === '' ? '/' : (path.path ?? ''), true);
  const unordered =
    'error' in rule ? { ...rule, wider: rule.wider && withoutElements(rule.wider) } : withoutElements(rule);
  regexRules.set(path, unordered);
  return unordered;
}

function readRegex(source: string, ignoreCase = false): PathRule | PathError {
  if (!/^\^?\//.test(source)) return { error: 'a regular expression for a path must begin with "/"' };
  const compiled = compilePattern(source, { ignoreCase });
  const elements = elementCount(prefixKey(source));
  if (!('error' in compiled)) return { kind: 'Regex', key: source, pattern: compiled.pattern, elements };
  const error = `the regular expression is refused: ${compiled.error}`;
  const pattern = widerPattern(source, ignoreCase);
  return { error, wider: pattern && { kind: 'Regex', key: source, pattern, elements } };
}

/** Ordered by length alone. */
function withoutElements(rule: PathRule): PathRule {
  return rule.kind === 'Regex' ? { ...rule, elements: 0 } : rule;
}

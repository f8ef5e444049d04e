import { certManagerAnnotationPrefix } from '../../api/annotations.ts';
import { parseFallbackIssuers } from '../../api/cert-manager/fallback-issuers.ts';
import { type KeyUsage, keyUsages } from '../../api/cert-manager/key-usage.ts';
import { type SecretTemplate, secretTemplateSchema } from '../../api/cert-manager/secret-template.ts';
import { problemsOf } from '../../api/schema-problems.ts';
import { isPlainText, plainTextHint } from '../../api/syntax.ts';
import { formatDuration, parseDuration } from '../../core/duration.ts';
import { parseCsvLine } from './csv.ts';

/** A value that was read; undefined where the text stands for nothing. Or what the text must be, for a sentence about it. */
export type Reading<T> = { readonly value: T | undefined } | { readonly wanted: string };

/** Reads the text of an annotation. */
export interface ValueReader<T> {
  /** What may stand there, for the documents. */
  readonly syntax: string;
  readonly read: (text: string) => Reading<T>;
}

const empty = 'is empty: give it a value, or remove it';

/** Text of so many bytes in UTF-8 at most; empty text stands for nothing. */
export function text(mostBytes: number): ValueReader<string> {
  return {
    syntax: `text, ${mostBytes} bytes at most`,
    read: value =>
      Buffer.byteLength(value) <= mostBytes
        ? anyText.read(value)
        : { wanted: `must have ${mostBytes} bytes at most: shorten it` },
  };
}

/** Any text without control characters; empty text stands for nothing. */
export const anyText: ValueReader<string> = {
  syntax: 'text',
  read: value =>
    isPlainText(value) ? { value: value === '' ? undefined : value } : { wanted: plainTextHint },
};

/** Text of a syntax that `fits` knows and `hint` tells ("must be ..."); empty text stands for nothing. */
export function textLike(
  syntax: string,
  fits: (value: string) => boolean,
  hint: string,
): ValueReader<string> {
  return {
    syntax,
    read(value) {
      if (value === '') return { value: undefined };
      return fits(value) ? { value } : { wanted: hint };
    },
  };
}

/** Comma-separated texts, as they are. */
export const texts: ValueReader<string[]> = {
  syntax: 'comma-separated texts',
  read(value) {
    if (value.trim() === '') return { wanted: empty };
    const entries = parseCsvLine(value);
    if (entries === undefined) {
      return {
        wanted:
          'must be one line of comma-separated values: put an entry with a comma or a quote into double quotes, and double the quotes in it',
      };
    }
    if (entries.some(entry => entry.trim() === '')) {
      return { wanted: 'has an empty entry: take out the comma that is too much' };
    }
    return entries.every(isPlainText) ? { value: entries } : { wanted: plainTextHint };
  },
};

/** The same, each of which `fits`, without the spaces around them and without repeats; `hint` tells what an entry must be. */
export function names(what: string, fits: (name: string) => boolean, hint: string): ValueReader<string[]> {
  return {
    syntax: `comma-separated ${what}`,
    read(value) {
      const reading = texts.read(value);
      if ('wanted' in reading) return reading;
      const entries = [...new Set(reading.value?.map(entry => entry.trim()))];
      const wrong = entries.filter(entry => !fits(entry));
      return wrong.length === 0
        ? { value: entries }
        : { wanted: `has ${shown(wrong)}: each must be ${hint}` };
    },
  };
}

/** What Go's time.Duration can hold. */
const longestMs = 2 ** 63 / 1e6;

/** Issuers for another annotation, as the text they are; empty text stands for nothing. */
export const fallbackIssuers: ValueReader<string> = {
  syntax: 'comma-separated issuers, each `name`, `Kind/name` or `Kind.group/name`',
  read(value) {
    if (value === '') return { value: undefined };
    const parsed = parseFallbackIssuers(value);
    return 'wanted' in parsed ? parsed : { value };
  },
};

/** A duration as Go writes it, of `leastMs` or more, which is `least` in words. */
export function duration(leastMs: number, least: string): ValueReader<string> {
  return {
    syntax: `duration such as \`2160h\` or \`1h30m\`, ${least} at least`,
    read(value) {
      const ms = parseDuration(value);
      if (ms === undefined) return { wanted: 'must be a duration such as "2160h" or "1h30m"' };
      if (ms < leastMs) return { wanted: `must be ${least} or more: lengthen it` };
      return ms > longestMs
        ? { wanted: 'must be 2562047h at most: shorten it' }
        : { value: formatDuration(ms) };
    },
  };
}

/** A whole number within limits, both included. */
export function wholeNumber(least: number, most = 2 ** 31 - 1): ValueReader<number> {
  const limits = most === 2 ** 31 - 1 ? `${least} or more` : `from ${least} to ${most}`;
  return {
    syntax: `whole number, ${limits}`,
    read(value) {
      const number = /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
      return number >= least && number <= most
        ? { value: number }
        : { wanted: `must be a whole number, ${limits}` };
    },
  };
}

/** One of a few words, in this very spelling. */
export function oneOf<const W extends string>(...words: readonly W[]): ValueReader<W> {
  return {
    syntax: words.map(word => `\`${word}\``).join(', '),
    read(value) {
      const found = words.find(word => word === value);
      return found === undefined ? { wanted: `must be ${shown(words, ' or ')}` } : { value: found };
    },
  };
}

/** Comma-separated key usages. */
export const usages: ValueReader<KeyUsage[]> = {
  syntax: 'comma-separated key usages',
  read(value) {
    const entries = value.split(',').map(entry => entry.trim());
    const found = entries.map(entry => keyUsages.find(usage => usage === entry));
    const wrong = entries.filter((_, index) => found[index] === undefined);
    if (value.trim() === '') return { wanted: empty };
    return wrong.length === 0
      ? { value: found.filter(usage => usage !== undefined) }
      : { wanted: `has ${shown(wrong)}, no key usage: take one of ${keyUsages.join(', ')}` };
  },
};

const templateShape =
  'must be a JSON object such as {"labels": {"app": "web"}, "annotations": {"a.example/b": "c"}}';

/** spec.secretTemplate as JSON; one without labels and annotations stands for nothing. */
export const secretTemplate: ValueReader<SecretTemplate> = {
  syntax: 'JSON object with `labels` and `annotations`, each a map of text to text',
  read(value) {
    const template = parseJson(value);
    if (typeof template !== 'object' || template === null || Array.isArray(template))
      return { wanted: templateShape };
    const unknown = Object.keys(template).filter(key => key !== 'labels' && key !== 'annotations');
    if (unknown.length > 0)
      return { wanted: `has ${shown(unknown)}: it may have "labels" and "annotations" alone` };
    const [problem] = problemsOf(secretTemplateSchema, template);
    if (problem !== undefined) return { wanted: `is refused: ${problem.message}` };
    const { annotations = {}, labels = {} } = template as SecretTemplate;
    const reserved = Object.keys(annotations).filter(key => key.startsWith(certManagerAnnotationPrefix));
    if (reserved.length > 0)
      return {
        wanted: `has the annotation ${shown(reserved)}: take it out, those of ${certManagerAnnotationPrefix} are set by themselves`,
      };
    const isEmpty = Object.keys(annotations).length + Object.keys(labels).length === 0;
    return { value: isEmpty ? undefined : template };
  },
};

function parseJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

function shown(values: readonly string[], separator = ', '): string {
  const few = values
    .slice(0, 3)
    .map(value => JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value));
  return values.length > 3 ? `${few.join(separator)} and ${values.length - 3} more` : few.join(separator);
}

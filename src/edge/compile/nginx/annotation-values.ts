import { parseRange } from '../../policy/address-ranges.ts';
import { parseRequestTemplate } from '../../policy/request-template.ts';
import type { Draft } from './annotation-row.ts';

/** Reads one value into a field of the draft, or says what may stand there. */
type Read = (value: string, draft: Draft) => string | undefined;

/** The fields of the draft that take a value of type `T`. */
type FieldOf<T> = { [K in keyof Draft]-?: T extends NonNullable<Draft[K]> ? K : never }[keyof Draft];

/** `true` and `false`, and what else Go takes for them, as ingress-nginx does. */
export function flag(field: FieldOf<boolean>): Read {
  return (value, draft) => {
    const read = booleanOf(value);
    if (read === undefined) return 'use "true" or "false"';
    Object.assign(draft, { [field]: read });
    return undefined;
  };
}

export function booleanOf(value: string): boolean | undefined {
  if (/^(?:1|t|T|TRUE|true|True)$/.test(value)) return true;
  return /^(?:0|f|F|FALSE|false|False)$/.test(value) ? false : undefined;
}

/** `on` and `off`. */
export function onOff(field: FieldOf<boolean>): Read {
  return (value, draft) => {
    if (value !== 'on' && value !== 'off') return 'use "on" or "off"';
    Object.assign(draft, { [field]: value === 'on' });
    return undefined;
  };
}

/** A whole number from `least` to `most`. */
export function wholeNumber(field: FieldOf<number>, least: number, most: number): Read {
  return (value, draft) => {
    const number = /^-?\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= least && number <= most)) return `use a whole number from ${least} to ${most}`;
    Object.assign(draft, { [field]: number });
    return undefined;
  };
}

/** One of a few words. */
export function oneOf<T extends string>(field: FieldOf<T>, words: readonly T[]): Read {
  return (value, draft) => {
    const word = words.find(one => one === value);
    if (word === undefined) return `use ${listed(words)}`;
    Object.assign(draft, { [field]: word });
    return undefined;
  };
}

/** Text of a form. `what` completes "use ...". */
export function matching(field: FieldOf<string>, form: RegExp, what: string): Read {
  return (value, draft) => {
    if (!form.test(value)) return `use ${what}`;
    Object.assign(draft, { [field]: value });
    return undefined;
  };
}

/** A template of the request, which begins as `form` says. */
export function template(field: FieldOf<string>, form: RegExp, what: string): Read {
  return (value, draft) => {
    if (!form.test(value)) return `use ${what}`;
    const parsed = parseRequestTemplate(value);
    if ('error' in parsed) return parsed.error;
    Object.assign(draft, { [field]: value });
    return undefined;
  };
}

/** CIDR ranges with commas between. */
export function ranges(field: FieldOf<readonly string[]>): Read {
  return (value, draft) => {
    const entries = listOf(value);
    const wrong = entries.find(entry => parseRange(entry) === undefined);
    if (entries.length === 0 || wrong !== undefined)
      return `use addresses and CIDR ranges such as 10.0.0.0/8 with commas between${wrong === undefined ? '' : `; ${JSON.stringify(wrong.slice(0, 60))} is none`}`;
    Object.assign(draft, { [field]: entries });
    return undefined;
  };
}

/** The entries of a list with commas between. */
export function listOf(value: string): string[] {
  return value.split(',').flatMap(entry => entry.trim() || []);
}

/** `"a", "b" or "c"`. */
export function listed(words: readonly string[]): string {
  const named = words.map(word => JSON.stringify(word));
  return named.length < 2 ? (named[0] ?? '') : `${named.slice(0, -1).join(', ')} or ${named.at(-1) ?? ''}`;
}

/** Text that stands in a header or a URL: printable ASCII. */
export const printable = /^[\x21-\x7e]+$/;
/** A name of a header field (RFC 9110 section 5.1). */
export const fieldName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Where a browser is sent: an http or https URL with a host; it may hold variables. */
export const webUrl = /^(?:https?|\$scheme|\$\{scheme\}|\$pass_access_scheme):\/\/[^\s/?#"\\]+[^\s"\\]*$/;

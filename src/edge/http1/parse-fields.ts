import { charClass, tokenChar, underscore, valueChar } from './char-classes.ts';
import { fieldKind, fieldKindOf } from './field-kind.ts';
import { WireFields } from './wire-fields.ts';

const cr = 0x0d;
const lf = 0x0a;

/**
 * Parses the field lines of a head or of trailers (RFC 9112 section 5), strictly: what could be read in two ways is a
 * fault. `text` has a byte a character and holds the empty line that ends the fields at `end`: `end` is the place of that
 * line, and the fields begin at `from`. Gives the reason where they are refused.
 */
export function parseFields(
  text: string,
  from: number,
  end: number,
  maxFields: number,
): WireFields | FieldFault {
  const marks: number[] = [];
  let at = from;
  let left = maxFields;
  while (at < end) {
    if (left === 0) return tooManyFields;
    left -= 1;
    const nameStart = at;
    let classes = 0;
    for (let found = charClass[text.charCodeAt(at)] ?? 0; (found & tokenChar) !== 0; ) {
      classes |= found;
      at += 1;
      found = charClass[text.charCodeAt(at)] ?? 0;
    }
    const nameEnd = at;
    if (text.charCodeAt(at) !== 0x3a) return nameFault(text, nameStart, at);
    if (nameEnd === nameStart) return fieldFaults.emptyName;
    at += 1;
    while (text.charCodeAt(at) === 0x20 || text.charCodeAt(at) === 0x09) at += 1;
    const valueStart = at;
    while (((charClass[text.charCodeAt(at)] ?? 0) & valueChar) !== 0) at += 1;
    if (text.charCodeAt(at) !== cr || text.charCodeAt(at + 1) !== lf) return valueFault(text, at);
    let valueEnd = at;
    while (
      valueEnd > valueStart &&
      (text.charCodeAt(valueEnd - 1) === 0x20 || text.charCodeAt(valueEnd - 1) === 0x09)
    )
      valueEnd -= 1;
    const kind = (classes & underscore) === 0 ? fieldKindOf(text, nameStart, nameEnd) : fieldKind.unsafe;
    marks.push(nameStart, nameEnd, valueStart, valueEnd, kind);
    at += 2;
  }
  return at === end ? new WireFields(text, marks) : fieldFaults.malformedName;
}

/** Why fields are refused. */
export interface FieldFault {
  readonly fault: string;
  readonly tooMany: boolean;
}

function fault(text: string, tooMany = false): FieldFault {
  return Object.freeze({ fault: text, tooMany });
}

const tooManyFields = fault('too many headers', true);
const fieldFaults = {
  emptyName: fault('field without a name'),
  malformedName: fault('malformed field name'),
  spaceBeforeColon: fault('space before the colon'),
  folding: fault('obsolete line folding'),
  bareLineFeed: fault('bare line feed'),
  bareReturn: fault('bare carriage return'),
  nul: fault('NUL in a field'),
  control: fault('control character in a field'),
} as const;

function nameFault(text: string, start: number, at: number): FieldFault {
  const code = text.charCodeAt(at);
  if (code === lf) return fieldFaults.bareLineFeed;
  if (code === 0x20 || code === 0x09)
    return at === start ? fieldFaults.folding : fieldFaults.spaceBeforeColon;
  return code === 0 ? fieldFaults.nul : fieldFaults.malformedName;
}

function valueFault(text: string, at: number): FieldFault {
  const code = text.charCodeAt(at);
  if (code === lf) return fieldFaults.bareLineFeed;
  if (code === cr) return fieldFaults.bareReturn;
  return code === 0 ? fieldFaults.nul : fieldFaults.control;
}

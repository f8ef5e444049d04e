import { WireFields, withoutFields } from '../http1/wire-fields.ts';
import type { HeaderEdits } from '../policy/route-policy.ts';
import { type HeaderFields, headerFieldsOf } from './header-fields.ts';
import { JoinedFields } from './joined-fields.ts';

/** What edits add, and the names that they take away: made once for each. */
interface PreparedEdits {
  readonly gone: readonly string[];
  readonly added: HeaderFields;
}

const prepared = new WeakMap<HeaderEdits, PreparedEdits>();

function prepare(edits: HeaderEdits): PreparedEdits {
  const known = prepared.get(edits);
  if (known !== undefined) return known;
  const made = {
    gone: [...edits.remove, ...edits.set.map(([name]) => name.toLowerCase())],
    added: headerFieldsOf([...edits.set.flat(), ...edits.add.flat()]),
  };
  prepared.set(edits, made);
  return made;
}

/**
 * The fields with what a policy takes away, sets and adds. What was made of an upstream's fields is kept with them: its next
 * answer has mostly the same.
 */
export function editFields(fields: HeaderFields, edits: HeaderEdits | undefined): HeaderFields {
  if (edits === undefined) return fields;
  if (fields instanceof WireFields) {
    const { derived } = fields;
    if (derived?.from === edits) return derived.fields;
    const made = edited(fields, edits);
    fields.derived = { from: edits, and: undefined, fields: made };
    return made;
  }
  return edited(fields, edits);
}

function edited(fields: HeaderFields, edits: HeaderEdits): HeaderFields {
  const { gone, added } = prepare(edits);
  return new JoinedFields(
    keepFields(fields, index => !gone.includes(fields.name(index))),
    added,
  );
}

/** Those fields for which `keep` gives true. */
export function keepFields(fields: HeaderFields, keep: (index: number) => boolean): HeaderFields {
  if (fields instanceof WireFields) return withoutFields(fields, (_kind, index) => !keep(index));
  const list: string[] = [];
  for (let at = 0; at < fields.count; at += 1) if (keep(at)) list.push(fields.rawName(at), fields.value(at));
  return headerFieldsOf(list);
}

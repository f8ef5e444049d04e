import { fieldKind, fieldKindOf } from '../http1/field-kind.ts';
import { WireFields } from '../http1/wire-fields.ts';
import type { HeaderFields } from './header-fields.ts';

/** The `fieldKind` of a field, whatever protocol it came over. */
export function kindOf(fields: HeaderFields, index: number): number {
  if (fields instanceof WireFields) return fields.kind(index);
  const name = fields.name(index);
  return name.includes('_') ? fieldKind.unsafe : fieldKindOf(name, 0, name.length);
}

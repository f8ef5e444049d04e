import type { Finding } from '../finding.ts';
import type { CompileSettings } from './settings.ts';
import type { References, Snapshot } from './snapshot.ts';
import type { RoutingTable } from './table.ts';
import { TableCompiler } from './table-compiler.ts';

export interface Compilation {
  readonly table: RoutingTable;
  readonly findings: readonly Finding[];
  readonly references: References;
  /** When the result changes although no object does: a certificate expires. Milliseconds since the epoch. */
  readonly nextExpiryMs: number | undefined;
}

/** Objects in, an immutable routing table and what their owners should know out. Pure: nothing is read but the arguments. */
export function compileTable(objects: Snapshot, settings: CompileSettings, nowMs: number): Compilation {
  return new TableCompiler(settings).compile(objects, nowMs);
}

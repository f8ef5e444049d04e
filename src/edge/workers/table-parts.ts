import type { RoutingTable } from '../compile/table.ts';
import { inParts, type TableChanges, tableChanges } from './table-changes.ts';
import { toWire } from './wire.ts';

/** Entries of one message. A change of a few objects is one message; a whole table of thousands is many. */
const entriesOfPart = 250;

/** Works out the messages that lead from one table to another, once for all workers that are at the same table. */
export class TableParts {
  #last: { before: RoutingTable; after: RoutingTable; parts: readonly TableChanges[] } | undefined;

  /** In the form that the channel carries. */
  between(before: RoutingTable, after: RoutingTable): readonly TableChanges[] {
    const last = this.#last;
    if (last?.before === before && last.after === after) return last.parts;
    const parts = [...inParts(tableChanges(before, after), entriesOfPart)].map(toWire);
    this.#last = { before, after, parts };
    return parts;
  }

  /** Lets go of what was worked out last: for a whole table that is as large as the table. */
  forget(): void {
    this.#last = undefined;
  }
}

import type { Ingress } from '../../api/kubernetes/ingress.ts';
import type { IngressClass } from '../../api/kubernetes/ingress-class.ts';
import type { Finding } from '../finding.ts';
import { Entry } from './ingress-entry.ts';
import { compareRank, insertRanked } from './ranked.ts';
import { ingressSelector, type Selection } from './select-ingresses.ts';
import type { CompileSettings } from './settings.ts';
import type { Snapshot } from './snapshot.ts';

/** From so many on, sorting all is cheaper than inserting each. */
const manyEntries = 50;

/** Which Ingresses came and went. */
export interface IngressChanges {
  /** To be served from now on, and not read yet. */
  readonly added: readonly Entry[];
  readonly dropped: readonly Entry[];
}

/** The Ingresses there are, and those of them that are served, by their class. */
export class IngressSet {
  /** Those that are served, in order of age. */
  readonly served: Entry[] = [];
  readonly #settings: CompileSettings;
  readonly #entries = new Map<Ingress, Entry>();
  readonly #misclassed = new Set<Entry>();
  #ingresses: readonly Ingress[] | undefined;
  #classes: readonly IngressClass[] | undefined;
  #select: (ingress: Ingress) => Selection;
  #round = 0;

  constructor(settings: CompileSettings) {
    this.#settings = settings;
    this.#select = ingressSelector([], settings);
  }

  /** Whether this entry stands for an Ingress that is still there. */
  has(entry: Entry): boolean {
    return this.#entries.get(entry.ingress) === entry;
  }

  /** Takes over which Ingresses there are. A changed one is another object: it is dropped and added. */
  follow({ ingresses, ingressClasses }: Snapshot): IngressChanges {
    const sameClasses =
      this.#classes?.length === ingressClasses.length &&
      this.#classes.every((one, index) => one === ingressClasses[index]);
    if (sameClasses && this.#ingresses === ingresses) return { added: [], dropped: [] };
    if (!sameClasses) this.#select = ingressSelector(ingressClasses, this.#settings);
    this.#classes = ingressClasses;
    this.#ingresses = ingresses;
    this.#round += 1;
    const fresh: Entry[] = [];
    const dropped: Entry[] = [];
    for (const ingress of ingresses) {
      const known = this.#entries.get(ingress);
      if (known !== undefined) known.seen = this.#round;
      if (known === undefined) fresh.push(new Entry(ingress, this.#round));
      else if (!sameClasses && this.#isOtherwiseNow(known)) {
        dropped.push(known);
        fresh.push(new Entry(ingress, this.#round));
      }
    }
    for (const entry of this.#entries.values()) if (entry.seen !== this.#round) dropped.push(entry);
    for (const entry of dropped) this.#drop(entry);
    for (const entry of fresh) this.#classify(entry);
    for (const entry of fresh) this.#entries.set(entry.ingress, entry);
    const added = fresh.filter(({ selection }) => selection.selected);
    this.#serve(added);
    return { added, dropped };
  }

  /** What the owners of Ingresses should know about their classes, the oldest first. */
  classFindings(): Finding[] {
    const misclassed = [...this.#misclassed].sort((a, b) => compareRank(a.rank, b.rank));
    return misclassed.flatMap(({ selection }) => selection.finding ?? []);
  }

  /** Whether the classes that there are now change what becomes of an Ingress. */
  #isOtherwiseNow(entry: Entry): boolean {
    const { selected } = entry.selection;
    this.#classify(entry);
    return selected !== entry.selection.selected;
  }

  #classify(entry: Entry): void {
    entry.selection = this.#select(entry.ingress);
    if (entry.selection.finding === undefined) this.#misclassed.delete(entry);
    else this.#misclassed.add(entry);
  }

  #drop(entry: Entry): void {
    this.#entries.delete(entry.ingress);
    this.#misclassed.delete(entry);
    const at = this.served.indexOf(entry);
    if (at >= 0) this.served.splice(at, 1);
  }

  #serve(entries: readonly Entry[]): void {
    if (entries.length < manyEntries) {
      for (const entry of entries) insertRanked(this.served, entry, one => one.rank);
      return;
    }
    this.served.push(...entries);
    this.served.sort((a, b) => compareRank(a.rank, b.rank));
  }
}

import type { Challenge } from '../../api/acme/challenge.ts';
import { keyOf, keyText, type ObjectKey } from '../../api/meta.ts';

/**
 * Whose turn it is: one Challenge at a time for a name and type, and so many at once in all, first come, first served.
 * One whose self-check fails, or is slow, gives its turn up and is solved all the same, beside the others: what is broken must
 * not keep what is not waiting. In memory alone: nothing is lost with it but an order of waiting.
 */
export interface Turns {
  /** Whether it is the Challenge's turn. Where not, it is told when it is. */
  take(challenge: Challenge): boolean;
  /** The Challenge does not count any more, and goes on. */
  stepAside(challenge: Challenge): void;
  /**
   * Whether one that stepped aside may count again, as it has nothing to wait for any more. Where not, it goes before those
   * that have had no turn yet, and is told.
   */
  takeAgain(challenge: Challenge): boolean;
  /** The Challenge is over, or gone. */
  release(key: ObjectKey): void;
}

type Place = 'waiting' | 'solving' | 'aside';

interface Entry {
  readonly key: ObjectKey;
  readonly name: string;
  place: Place;
}

/** `onTurn` is told the key of each Challenge that has got its turn after waiting for it. */
export function createTurns(mostAtOnce: number, onTurn: (key: ObjectKey) => void): Turns {
  const entries = new Map<string, Entry>();
  /** In the order in which they came, those that had a turn before the others. */
  const again = new Map<string, Entry>();
  const waiting = new Map<string, Entry>();
  const namesInWork = new Set<string>();
  let solving = 0;

  function isFree(entry: Entry): boolean {
    return solving < mostAtOnce && !namesInWork.has(entry.name);
  }

  function begin(entry: Entry): void {
    entry.place = 'solving';
    solving += 1;
    namesInWork.add(entry.name);
  }

  function end(entry: Entry, place: Place): void {
    if (entry.place !== 'solving') return;
    entry.place = place;
    solving -= 1;
    namesInWork.delete(entry.name);
    for (const queue of [again, waiting]) {
      for (const [id, next] of queue) {
        if (solving >= mostAtOnce) return;
        if (!isFree(next)) continue;
        queue.delete(id);
        begin(next);
        onTurn(next.key);
      }
    }
  }

  return {
    take(challenge) {
      const key = keyOf(challenge);
      const id = keyText(key);
      const known = entries.get(id);
      if (known !== undefined) return known.place !== 'waiting';
      const { type, dnsName } = challenge.spec;
      const entry: Entry = { key, name: `${type} ${dnsName}`, place: 'waiting' };
      entries.set(id, entry);
      if (isFree(entry)) begin(entry);
      else waiting.set(id, entry);
      return entry.place === 'solving';
    },
    stepAside(challenge) {
      const entry = entries.get(keyText(keyOf(challenge)));
      if (entry !== undefined) end(entry, 'aside');
    },
    takeAgain(challenge) {
      const id = keyText(keyOf(challenge));
      const entry = entries.get(id);
      if (entry?.place !== 'aside') return entry?.place === 'solving';
      if (isFree(entry)) {
        begin(entry);
        return true;
      }
      entry.place = 'waiting';
      again.set(id, entry);
      return false;
    },
    release(key) {
      const id = keyText(key);
      const entry = entries.get(id);
      if (entry === undefined) return;
      entries.delete(id);
      again.delete(id);
      waiting.delete(id);
      end(entry, 'aside');
    },
  };
}

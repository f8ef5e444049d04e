/**
 * For work of which much may come at once and which can wait for a moment. So many pieces of it are done in one turn of the
 * event loop; between the turns others are served. With `oldest`, what waits is done in the order in which it came. With
 * `newest`, what came last is done first: of a thousand that come at once it is these that wait, and not who comes after.
 */
export class TurnQueue {
  readonly #eachTurn: number;
  readonly #first: 'oldest' | 'newest';
  readonly #waiting: (() => void)[] = [];
  #left: number;
  #awaitsTurn = false;

  constructor(eachTurn: number, first: 'oldest' | 'newest') {
    this.#eachTurn = eachTurn;
    this.#first = first;
    this.#left = eachTurn;
  }

  /** Does the work at once where this turn has room for it, else in a turn to come. It must not throw. */
  run(work: () => void): void {
    if (this.take()) work();
    else this.wait(work);
  }

  /** Takes room for one piece of work in this turn. False where there is none, or where others are to go first. */
  take(): boolean {
    if (this.#left === 0 || (this.#first === 'oldest' && this.#waiting.length > 0)) return false;
    this.#left -= 1;
    this.#awaitTurn();
    return true;
  }

  /** Does the work in a turn to come. It must not throw. */
  wait(work: () => void): void {
    this.#waiting.push(work);
    this.#awaitTurn();
  }

  #awaitTurn(): void {
    if (this.#awaitsTurn) return;
    this.#awaitsTurn = true;
    setImmediate(nextTurn, this);
  }

  /** Another turn has begun. */
  begin(): void {
    this.#awaitsTurn = false;
    const due =
      this.#first === 'oldest'
        ? this.#waiting.splice(0, this.#eachTurn)
        : this.#waiting.splice(-this.#eachTurn).reverse();
    this.#left = this.#eachTurn - due.length;
    if (due.length > 0) this.#awaitTurn();
    for (const work of due) work();
  }
}

function nextTurn(queue: TurnQueue): void {
  queue.begin();
}

import { TurnQueue } from './turn-queue.ts';

/** Something that has a deadline now and then. It is in one wheel at most. */
export interface Timed {
  /** In the wheel's time, milliseconds; Infinity for none. Set through the wheel. */
  deadlineMs: number;
  /** The wheel's own. */
  slot: number;
  next: Timed | undefined;
  previous: Timed | undefined;
  /** The deadline has passed. It is none any more until it is set again. */
  onDeadline(): void;
}

const slots = 512;
/** Deadlines that are told in one turn: where a thousand connections came together, they end together. */
const deadlinesEachTurn = 32;

/**
 * One timer for all deadlines of a worker. A deadline that moves on, as those of busy connections do with each request,
 * costs a comparison: its owner stays where it is and is looked at when that place comes round.
 */
export class TimerWheel {
  readonly resolutionMs: number;
  readonly #slots: (Timed | undefined)[] = Array.from({ length: slots }, () => undefined);
  readonly #time: () => number;
  readonly #passed = new TurnQueue(deadlinesEachTurn, 'oldest');
  #timer: NodeJS.Timeout | undefined;
  #count = 0;
  /** Ticks since the beginning; the slot of a tick is its remainder. */
  #tick: number;
  /** The present time in milliseconds, as of the last tick. */
  nowMs: number;

  /** Deadlines are kept to within two resolutions, or later where many pass at once, and never fire early. `time` is monotonic, in milliseconds. */
  constructor(resolutionMs: number, time: () => number = () => performance.now()) {
    this.resolutionMs = resolutionMs;
    this.#time = time;
    this.nowMs = time();
    this.#tick = Math.floor(this.nowMs / resolutionMs);
  }

  /** Sets the deadline to `delayMs` from now; Infinity takes it away. */
  set(timed: Timed, delayMs: number): void {
    if (this.#timer === undefined) this.#start();
    // The present is up to a tick further than the last look at the clock.
    const deadlineMs = this.nowMs + delayMs + this.resolutionMs;
    timed.deadlineMs = deadlineMs;
    if (timed.slot >= 0) {
      // It is looked at before that: nothing to do.
      if (this.#tickOf(timed.slot) * this.resolutionMs <= deadlineMs) return;
      this.#unlink(timed);
    }
    if (deadlineMs !== Infinity) this.#link(timed);
  }

  /** Forgets it. */
  remove(timed: Timed): void {
    timed.deadlineMs = Infinity;
    if (timed.slot >= 0) this.#unlink(timed);
  }

  /** Stops the timer for good. */
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#slots.fill(undefined);
  }

  /** Looks at what falls due. Called by the timer; by tests too. */
  advance(): void {
    this.nowMs = this.#time();
    const tick = Math.floor(this.nowMs / this.resolutionMs);
    // After a long sleep each slot is looked at once.
    const first = Math.max(this.#tick + 1, tick - slots + 1);
    this.#tick = tick;
    for (let at = first; at <= tick; at += 1) this.#look(at % slots);
    if (this.#count === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  #look(slot: number): void {
    let timed = this.#slots[slot];
    if (timed === undefined) return;
    const due: Timed[] = [];
    while (timed !== undefined) {
      const { next }: Timed = timed;
      this.#unlink(timed);
      if (timed.deadlineMs <= this.nowMs) due.push(timed);
      else if (timed.deadlineMs !== Infinity) this.#link(timed);
      timed = next;
    }
    for (const one of due) this.#passed.run(() => this.#tell(one));
  }

  #tell(timed: Timed): void {
    // What was done before may have moved it.
    if (timed.deadlineMs > this.nowMs) return;
    timed.deadlineMs = Infinity;
    timed.onDeadline();
  }

  /** The tick at which a slot is looked at next. */
  #tickOf(slot: number): number {
    const ahead = (slot - (this.#tick % slots) + slots) % slots;
    return this.#tick + (ahead === 0 ? slots : ahead);
  }

  #link(timed: Timed): void {
    const dueTick = Math.max(this.#tick + 1, Math.ceil(timed.deadlineMs / this.resolutionMs));
    const slot = Math.min(dueTick, this.#tick + slots - 1) % slots;
    const head = this.#slots[slot];
    timed.slot = slot;
    timed.next = head;
    timed.previous = undefined;
    if (head !== undefined) head.previous = timed;
    this.#slots[slot] = timed;
    this.#count += 1;
  }

  #unlink(timed: Timed): void {
    if (timed.previous === undefined) this.#slots[timed.slot] = timed.next;
    else timed.previous.next = timed.next;
    if (timed.next !== undefined) timed.next.previous = timed.previous;
    timed.slot = -1;
    timed.next = undefined;
    timed.previous = undefined;
    this.#count -= 1;
  }

  #start(): void {
    this.nowMs = this.#time();
    this.#tick = Math.floor(this.nowMs / this.resolutionMs);
    this.#timer = setInterval(() => this.advance(), this.resolutionMs).unref();
  }
}

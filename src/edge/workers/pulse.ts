/** How many questions a worker may leave unanswered. */
export const mostUnanswered = 10;
/** A worker that has just been started may be long in coming, on a machine that has other work. */
const mostUnansweredAtStart = 40;

/**
 * Whether a worker answers, told by questions that go the way of all messages: an answer says that its event loop turns, and
 * that it has read what was sent before. Silence is counted in questions and not in time, since time also passes where the
 * main process stands still, or the whole machine.
 */
export class Pulse {
  #unanswered = 0;
  #most = mostUnansweredAtStart;

  /** Counts a question. False where too many have had no answer: the worker hangs. */
  ask(): boolean {
    this.#unanswered += 1;
    return this.#unanswered <= this.#most;
  }

  answered(): void {
    this.#unanswered = 0;
    this.#most = mostUnanswered;
  }
}

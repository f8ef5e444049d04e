/** Counts what each address holds, within a limit; 0 is none. */
export class Tally {
  readonly #limit: number;
  readonly #counts = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether the address may hold one more, which is then counted. */
  take(address: string): boolean {
    if (this.#limit === 0) return true;
    const count = this.#counts.get(address) ?? 0;
    if (count >= this.#limit) return false;
    this.#counts.set(address, count + 1);
    return true;
  }

  giveBack(address: string): void {
    if (this.#limit === 0) return;
    const count = this.#counts.get(address) ?? 0;
    if (count > 1) this.#counts.set(address, count - 1);
    else this.#counts.delete(address);
  }
}

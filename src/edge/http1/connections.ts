import type { Duplex } from 'node:stream';

/** The connections of clients, and how many requests each has under way. */
export class Connections {
  readonly #requests = new Map<Duplex, number>();

  add(connection: Duplex): void {
    this.#requests.set(connection, 0);
    connection.once('close', () => this.#requests.delete(connection));
  }

  begin(connection: Duplex): void {
    const count = this.#requests.get(connection);
    if (count !== undefined) this.#requests.set(connection, count + 1);
  }

  end(connection: Duplex): void {
    const count = this.#requests.get(connection);
    if (count !== undefined) this.#requests.set(connection, count - 1);
  }

  isBusy(connection: Duplex): boolean {
    return (this.#requests.get(connection) ?? 0) > 0;
  }

  closeIdle(): void {
    for (const [connection, count] of this.#requests) if (count === 0) connection.destroy();
  }

  closeAll(): void {
    for (const connection of this.#requests.keys()) connection.destroy();
  }
}

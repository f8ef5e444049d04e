import type { RoutingTable } from './compile/table.ts';
import type { EngineAddresses } from './engine.ts';

/** Where the engine runs: in this process, or in workers. */
export interface EngineHost {
  /**
   * Takes the addresses; port 0 is a free one. Resolves with what clients are to use. Rejects with EDGE_LISTEN_FAILED,
   * naming the address, where another program listens there.
   */
  listen(addresses: EngineAddresses): Promise<EngineAddresses>;
  /** Another table is in force, everywhere and soon. */
  publish(table: RoutingTable, version: number): void;
  /** Resolves once every engine serves a table for the first time. */
  serving(): Promise<void>;
  /** Why not every engine serves a table now, or undefined where it does. */
  problem(): string | undefined;
  setTicketKeys(keys: Buffer): void;
  /** Resolves when every engine has ended what it had under way, or `drainMs` have passed. */
  stop(drainMs: number): Promise<void>;
}

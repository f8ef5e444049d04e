import type { LogFields } from '../../core/logger.ts';
import type { MetricDelta } from '../../runtime/edge-measurements.ts';
import type { AccessLogFormat } from '../access-log.ts';
import type { SourceRef } from '../compile/table.ts';
import type { EngineAddresses, EngineSettings } from '../engine.ts';
import type { UpstreamFailure } from '../upstream/failure.ts';
import type { TableChanges } from './table-changes.ts';

/**
 * What the main process tells a worker. The two are always of the same build: there are no versions.
 *
 *   start, table (whole, in parts), listen, then table (changes), ticketKeys, connection, and at last drain
 */
export type ToWorker =
  | {
      readonly kind: 'start';
      readonly settings: EngineSettings;
      /** The certificate for names without one; the key is private. */
      readonly fallback: { readonly chain: string; readonly key: string };
      readonly ticketKeys: Uint8Array;
      readonly accessLog: AccessLogFormat | undefined;
      readonly drainMs: number;
    }
  /** To be applied to the table before it, as `toWire` made it. After the last part the version is in force. */
  | { readonly kind: 'table'; readonly changes: TableChanges; readonly version: number | undefined }
  /** To be done once there is a table. */
  | { readonly kind: 'listen'; readonly addresses: EngineAddresses }
  /** Comes with a connection that the main process accepted, where the system cannot share a port. */
  | { readonly kind: 'connection'; readonly secure: boolean }
  | { readonly kind: 'ticketKeys'; readonly keys: Uint8Array }
  /** To be answered: `alive`. */
  | { readonly kind: 'areYouThere' }
  /** The worker ends by itself when nothing is left. */
  | { readonly kind: 'drain'; readonly drainMs: number };

/** What a worker tells. */
export type FromWorker =
  | { readonly kind: 'listening' }
  | { readonly kind: 'failed'; readonly code: string | undefined; readonly message: string }
  /** It has read all that was sent before the question. */
  | { readonly kind: 'alive' }
  /** Every request that begins from now on is decided by this table. */
  | { readonly kind: 'applied'; readonly version: number }
  | {
      readonly kind: 'report';
      readonly metrics: MetricDelta | undefined;
      readonly failures: readonly ReportedFailure[];
    }
  /** Whole lines. */
  | { readonly kind: 'accessLog'; readonly text: string }
  | {
      readonly kind: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly message: string;
      readonly fields: LogFields | undefined;
    };

/** Upstream failures of one kind since the last report; the latest stands for them. */
export interface ReportedFailure {
  readonly source: SourceRef;
  /** The backend's key. */
  readonly backend: string;
  readonly failure: UpstreamFailure;
}

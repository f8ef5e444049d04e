import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import type { EdgeMeasurements } from '../runtime/edge-measurements.ts';
import type { AccessLogFormat } from './access-log.ts';
import type { EngineSettings } from './engine.ts';
import type { CertificateWithKey } from './tls/default-certificate.ts';
import type { ReportedFailure } from './workers/messages.ts';

/** What an engine's host stands on. */
export interface HostParts {
  readonly settings: EngineSettings;
  readonly fallback: CertificateWithKey;
  readonly ticketKeys: Buffer;
  readonly accessLog: AccessLogFormat | undefined;
  /** Writes whole lines. */
  readonly writeAccessLog: (lines: string) => void;
  upstreamFailed(failure: ReportedFailure): void;
  readonly measurements: EdgeMeasurements;
  readonly logger: Logger;
  readonly clock: Clock;
}

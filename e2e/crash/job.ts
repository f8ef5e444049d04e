/** What one process of a crash sweep is told; its only argument, as JSON. */
export interface CrashJob {
  /** Flags of `postern run`. */
  readonly args: readonly string[];
  /** Becomes part of the User-Agent, by which the ACME server tells the runs apart. */
  readonly run: string;
  /** The process ends by itself, with status 0, when the Certificate has reached this revision and all is tidy. */
  readonly revision: number;
  /** The process kills itself after so many writes. */
  readonly killAfterWrite?: number | undefined;
  /** Each write is noted here as a line, before anything else happens. */
  readonly writesFile: string;
  readonly logFile: string;
}

/** The Certificate that a sweep is about. */
export const site = { name: 'site', host: 'site.example.com', secretName: 'site-tls' } as const;

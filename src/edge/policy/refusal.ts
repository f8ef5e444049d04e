/** A request that is answered with an error and whose connection is closed: it could be read in two ways. */
export interface Refusal {
  readonly status: 400 | 405 | 413 | 414 | 417 | 431 | 501 | 505;
  /** For the log and the metrics; the client learns the status alone. */
  readonly reason: string;
}

/** Methods that are never forwarded, whatever the protocol. `PRI` is the beginning of HTTP/2's preface (RFC 9113 section 3.4). */
export const refusedMethods: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK', 'PRI']);

/** Anything but blanks, control characters and `#`; browsers send a good deal unencoded. */
export const queryForm = /^[\x21\x22\x24-\x7e\x80-\xff]*$/;

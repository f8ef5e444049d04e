/** Bounds of what a client may send and hold, for one engine. */
export interface EdgeLimits {
  /** Bytes of a request's head, request line included. */
  readonly headBytes: number;
  /** Header fields of a request. */
  readonly headers: number;
  /** Characters of the request target. */
  readonly target: number;
  /** Requests that one connection may carry, after which it is closed politely; 0: any number. */
  readonly requestsPerConnection: number;
  /** Open connections of this engine; 0: any number. */
  readonly connections: number;
  /** Open connections of one client address (of IPv6: one /64) in this engine, trusted proxies excepted; 0: any number. */
  readonly connectionsPerAddress: number;
  /** TLS handshakes under way of one client address in this engine. */
  readonly handshakesPerAddress: number;
  /** Requests that one HTTP/2 connection may have open. */
  readonly streams: number;
  /** Requests that an HTTP/2 connection may give up at once; it may an eighth as many more each second. */
  readonly resets: number;
  /** PING and SETTINGS frames that an HTTP/2 connection may send at once; it may a fifth as many more each second. */
  readonly controlFrames: number;
}

export const defaultLimits: EdgeLimits = Object.freeze({
  headBytes: 32_768,
  headers: 100,
  target: 8_192,
  requestsPerConnection: 10_000,
  connections: 0,
  connectionsPerAddress: 0,
  handshakesPerAddress: 512,
  streams: 128,
  resets: 400,
  controlFrames: 100,
});

/** A request as a parser has read it. */
export interface SeenMessage {
  readonly method: string;
  /** As on the request line. */
  readonly target: string;
  /** A byte a character. */
  readonly body: string;
}

/** What a parser has made of the bytes of one connection. */
export interface Reading {
  /** The requests that were whole, in order. */
  readonly requests: readonly SeenMessage[];
  /** Whether there was one more whose head was taken and whose body was not whole. */
  readonly inBody: boolean;
  /** The parser would read no more: by a refusal, or since a request was to be the last. */
  readonly closed: boolean;
  /** Why it was refused, where it was. */
  readonly refused: string | undefined;
}

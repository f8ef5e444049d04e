import type { HeaderFields } from '../exchange/header-fields.ts';
import type { ConnectionFacts } from './request-head.ts';

/** The head of a request as it was read off an HTTP/1 connection, before anything is believed of it. */
export interface RawHead {
  readonly method: string;
  readonly target: string;
  /** `1.0` or `1.1`; anything else is refused. */
  readonly httpVersion: string;
  readonly fields: HeaderFields;
  readonly connection: ConnectionFacts;
}

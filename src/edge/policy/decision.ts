import type { Alternative, Backend, Endpoint, Route } from '../compile/table.ts';
import type { ExternalAuth, HeaderEdits, RoutePolicy } from './route-policy.ts';

/** What becomes of a request whose head was accepted. */
export type Decision =
  /** A password is being checked on another thread. Never rejects. */
  | { readonly kind: 'pending'; readonly decision: Promise<AnswerDecision | ForwardDecision> }
  | AnswerDecision
  | ForwardDecision;

/** The request is answered by the edge itself. */
export interface AnswerDecision {
  readonly kind: 'answer';
  readonly status: number;
  /** For the log and the metrics; the client learns the status alone. */
  readonly reason: string;
  /** Names and values in turn: Location, WWW-Authenticate, Access-Control-... */
  readonly fields: readonly string[];
  readonly route: Route | undefined;
}

/** The request goes to an upstream. For a route with a plain policy nothing but `route`, `backend` and `target` is set. */
export interface ForwardDecision {
  readonly kind: 'forward';
  readonly route: Route;
  /** The route's own policy, or that of the alternative that was chosen. */
  readonly policy: RoutePolicy;
  readonly alternative: Alternative | undefined;
  readonly backend: Exclude<Backend, { kind: 'unavailable' }>;
  /** Path and query as sent to the upstream. */
  readonly target: string;
  /** The Host sent to the upstream. */
  readonly host: string;
  /** Beside what every request gets. */
  readonly requestEdits: HeaderEdits | undefined;
  readonly responseEdits: HeaderEdits | undefined;
  /** Another service is asked first; then `afterAuth` is applied. */
  readonly auth: ExternalAuth | undefined;
  /** The endpoint that a cookie points at, if it is there. */
  readonly pinned: Endpoint | undefined;
  /** With `policy.balance` by hash: requests of equal text go to the same endpoint. */
  readonly hashText: string | undefined;
  /** A body that turns out to be longer, in bytes, is cut off with 413. Infinity for no limit. */
  readonly bodyLimit: number;
  /** Set-Cookie values of the authentication's answer: `responseEditsOf` says which answers get them. */
  readonly authCookies: readonly string[];
  /** To be called when the request is over: gives back what limits counted. */
  readonly release: (() => void) | undefined;
}

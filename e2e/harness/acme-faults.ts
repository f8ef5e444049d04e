import { setTimeout as sleep } from 'node:timers/promises';

/** What a request to an ACME server is about, told by its path at Pebble. */
export type AcmeAction =
  | 'directory'
  | 'new-nonce'
  | 'new-account'
  | 'account'
  | 'new-order'
  | 'order'
  | 'authorization'
  | 'challenge'
  | 'finalize'
  | 'certificate'
  | 'other';

const actions: readonly (readonly [prefix: string, action: AcmeAction])[] = [
  ['/dir', 'directory'],
  ['/nonce-plz', 'new-nonce'],
  ['/sign-me-up', 'new-account'],
  ['/my-account/', 'account'],
  ['/order-plz', 'new-order'],
  ['/my-order/', 'order'],
  ['/authZ/', 'authorization'],
  ['/chalZ/', 'challenge'],
  ['/finalize-order/', 'finalize'],
  ['/certZ/', 'certificate'],
];

/** The action of a path. */
export function acmeActionOf(path: string): AcmeAction {
  return actions.find(([prefix]) => path.startsWith(prefix))?.[1] ?? 'other';
}

/** A request on its way through the proxy. */
export interface AcmeRequest {
  readonly action: AcmeAction;
  readonly method: string;
  readonly path: string;
  readonly userAgent: string;
}

/** An answer on its way back. */
export interface AcmeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** What the client gets: an answer, the first `bytes` of its body and then a reset, a reset at once, or nothing at all. */
export type AcmeReply =
  | { readonly kind: 'answer'; readonly answer: AcmeAnswer }
  | { readonly kind: 'part'; readonly answer: AcmeAnswer; readonly bytes: number }
  | { readonly kind: 'cut' }
  | { readonly kind: 'hang' };

/** The way to the server behind the proxy. */
export interface AcmeWay {
  /** Passes the request on, once, and gives the server's answer. */
  pass(): Promise<AcmeAnswer>;
  /** A nonce that the server will take. */
  nonce(): Promise<string>;
}

/** What is done with a request instead of passing it on and its answer back. */
export type AcmeFault = (request: AcmeRequest, way: AcmeWay) => Promise<AcmeReply>;

/** Answers by itself; the server never sees the request. */
export function answers(status: number, headers: Record<string, string> = {}, problem?: object): AcmeFault {
  const body = Buffer.from(problem === undefined ? '' : JSON.stringify(problem));
  const type: Record<string, string> =
    problem === undefined ? {} : { 'content-type': 'application/problem+json' };
  return async () => ({ kind: 'answer', answer: { status, headers: { ...type, ...headers }, body } });
}

/** Answers with a problem document of RFC 8555 section 6.7; with a nonce, as a CA would. */
export function refuses(
  status: number,
  type: string,
  detail: string,
  headers: Record<string, string> = {},
): AcmeFault {
  const problem = { type: `urn:ietf:params:acme:error:${type}`, detail, status };
  return async (request, way) =>
    answers(status, { ...headers, 'replay-nonce': await way.nonce() }, problem)(request, way);
}

/** Refuses the nonce, and gives a good one. */
export const refusesNonce: AcmeFault = refuses(400, 'badNonce', 'JWS has an invalid anti-replay nonce');

/** Passes the request on, and gives the client another fault's answer than the server's. */
export function forwardsBut(fault: AcmeFault): AcmeFault {
  return async (request, way) => {
    await way.pass();
    return fault(request, way);
  };
}

/** Resets the connection; the server never sees the request. */
export const cuts: AcmeFault = async () => ({ kind: 'cut' });

/** Never answers; the server never sees the request. */
export const hangs: AcmeFault = async () => ({ kind: 'hang' });

/** Passes on and back, later. */
export function delays(ms: number): AcmeFault {
  return async (_request, way) => {
    await sleep(ms);
    return { kind: 'answer', answer: await way.pass() };
  };
}

/** Cuts the server's answer off in its middle. */
export const truncates: AcmeFault = async (_request, way) => {
  const answer = await way.pass();
  return { kind: 'part', answer, bytes: Math.floor(answer.body.length / 2) };
};

/** Makes the server's JSON no JSON, with the length that the headers say. */
export const garbles: AcmeFault = async (_request, way) => {
  const answer = await way.pass();
  return { kind: 'answer', answer: { ...answer, body: Buffer.from(`<html>${answer.body.toString()}`) } };
};

/** Changes the JSON of the server's answer. */
export function edits(change: (json: Record<string, unknown>) => Record<string, unknown>): AcmeFault {
  return async (_request, way) => {
    const answer = await way.pass();
    const json = JSON.parse(answer.body.toString()) as Record<string, unknown>;
    return { kind: 'answer', answer: { ...answer, body: Buffer.from(JSON.stringify(change(json))) } };
  };
}

/** A fault, and the requests that it meets. */
export interface AcmeRule {
  readonly fault: AcmeFault;
  /** All where absent. */
  readonly on?: (request: AcmeRequest) => boolean;
  /** It meets the first so many of them; all where absent. */
  readonly times?: number;
  /** It meets each so-manieth of them: 2 for half. */
  readonly each?: number;
}

/** A rule for requests about these. */
export function on(wanted: AcmeAction | readonly AcmeAction[], fault: AcmeFault, times?: number): AcmeRule {
  const list: readonly AcmeAction[] = typeof wanted === 'string' ? [wanted] : wanted;
  return { fault, on: ({ action }) => list.includes(action), ...(times !== undefined && { times }) };
}

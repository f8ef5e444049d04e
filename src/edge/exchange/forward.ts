import { messageOf } from '../../core/errors.ts';
import { BodyFault } from '../http1/body-fault.ts';
import { answerByItself } from '../http1/own-answers.ts';
import { decide } from '../policy/decide.ts';
import type { AnswerDecision, Decision, ForwardDecision } from '../policy/decision.ts';
import { wantsErrorPage } from '../policy/error-pages.ts';
import { fieldsOfOwnAnswer } from '../policy/own-answer.ts';
import type { CheckedHead } from '../policy/request-head.ts';
import type { Timed } from '../timers/timer-wheel.ts';
import { BrokenAnswer, timeoutFailure, type UpstreamFailure } from '../upstream/failure.ts';
import { failedToConnect } from '../upstream/retry.ts';
import { answerHead, upgradeHead } from './answer-head.ts';
import { askErrorPage } from './ask-error-page.ts';
import { askPermission } from './ask-permission.ts';
import { EndpointTries } from './endpoint-tries.ts';
import type { ForwardParts } from './forward-parts.ts';
import type { HeaderFields } from './header-fields.ts';
import { answerTrailers } from './passed-trailers.ts';
import type {
  AnswerHead,
  BodySink,
  BodySource,
  ClientExchange,
  ServeRequest,
  UpstreamDeadlines,
  UpstreamExchange,
  UpstreamListener,
  UpstreamRequest,
} from './ports.ts';
import { recordRequest } from './request-log.ts';
import { type RelayOwner, RequestRelay } from './request-relay.ts';
import { joinTunnels } from './tunnels.ts';
import { requestFor } from './upstream-request.ts';

/** Serves requests of either protocol: decides, and forwards or answers. Never throws. */
export function createForwarder(parts: ForwardParts): ServeRequest {
  const { connectMs, idleMs } = parts.timeouts;
  const deadlines: UpstreamDeadlines = Object.freeze({ connectMs, readMs: idleMs, sendMs: idleMs });
  return (head, client) => {
    const forwarding = new Forwarding(parts, deadlines, head, client);
    try {
      forwarding.begin(decide(parts.table(), head, parts.context));
    } catch (error) {
      parts.logger.error('a request could not be served', { error: messageOf(error) });
      forwarding.giveUp();
    }
  };
}

/**
 * One request on its way:
 *
 *   decided --> answered by the edge
 *      '--> permission asked --> endpoint chosen --> sent --> answered --> body relayed --> over
 *                                     ^               |          '--> page of another backend
 *                                     '-- tried again --
 */
class Forwarding implements UpstreamListener, BodySink, RelayOwner {
  readonly #parts: ForwardParts;
  readonly #head: CheckedHead;
  readonly #client: ClientExchange;
  readonly #startedMs = performance.now();
  #deadlines: UpstreamDeadlines;
  #decision: ForwardDecision | AnswerDecision | undefined;
  #request: UpstreamRequest | undefined;
  #requestId: string | undefined;
  readonly #tries: EndpointTries;
  #triedAtMs = 0;
  #upstreamMs: number | undefined;
  #exchange: UpstreamExchange | undefined;
  #relay: RequestRelay | undefined;
  #source: BodySource | undefined;
  #sink: BodySink | undefined;
  #resumeTunnel: (() => void) | undefined;
  #whole: Timed | undefined;
  #status = 0;
  #bytesSent = 0;
  #reason: string | undefined;
  #over = false;

  constructor(parts: ForwardParts, deadlines: UpstreamDeadlines, head: CheckedHead, client: ClientExchange) {
    this.#parts = parts;
    this.#deadlines = deadlines;
    this.#head = head;
    this.#client = client;
    this.#tries = new EndpointTries(parts.balancer, this.#startedMs);
    client.onAbort = () => this.#clientGone();
    client.onDrain = () => this.#source?.resume();
  }

  begin(decision: Decision): void {
    if (decision.kind === 'pending') void decision.decision.then(settled => this.#settle(settled));
    else this.#settle(decision);
  }

  /** An error of ours. */
  giveUp(): void {
    if (this.#status === 0) this.#answerByItself(500, 'an error of the edge');
    else this.abort(new Error('an error of the edge'));
  }

  #settle(decision: ForwardDecision | AnswerDecision): void {
    this.#decision = decision;
    if (this.#over) {
      // The client went while the decision was made.
      if (decision.kind === 'forward') decision.release?.();
      return;
    }
    if (decision.kind === 'answer') {
      this.#answerByItself(decision.status, decision.reason, decision.fields);
      return;
    }
    if (decision.auth === undefined) return this.#start(decision);
    this.#exchange = askPermission(this.#parts, decision.auth, decision, this.#head, settled => {
      this.#exchange = undefined;
      if (settled.kind === 'answer') decision.release?.();
      if (!this.#over) this.#settle(settled);
    });
  }

  #start(decision: ForwardDecision): void {
    const { timeouts } = decision.policy;
    if (timeouts !== undefined) {
      const { connectMs, readMs, sendMs } = this.#deadlines;
      this.#deadlines = {
        connectMs: timeouts.connectMs ?? connectMs,
        readMs: timeouts.readMs ?? readMs,
        sendMs: timeouts.sendMs ?? sendMs,
      };
    }
    const [request, requestId] = requestFor(this.#parts, decision, this.#head);
    this.#request = request;
    this.#requestId = requestId;
    if (request.framing.kind === 'none') this.#startWhole(decision);
    this.#try(decision);
  }

  /** Bounds what is left of the exchange, where the route says so (Mapping's `timeout_ms`). */
  #startWhole({ policy }: ForwardDecision): void {
    const wholeMs = policy.timeouts?.wholeMs;
    if (wholeMs === undefined || this.#whole !== undefined || this.#over) return;
    this.#whole = {
      deadlineMs: Infinity,
      slot: -1,
      next: undefined,
      previous: undefined,
      onDeadline: () => this.#wholeOver(),
    };
    this.#parts.wheel.set(this.#whole, wholeMs);
  }

  /** The exchange is over, or has become a connection that lasts as long as it is used. */
  #endWhole(): void {
    if (this.#whole !== undefined) this.#parts.wheel.remove(this.#whole);
  }

  #wholeOver(): void {
    if (this.#over) return;
    this.#exchange?.abort();
    const failure = timeoutFailure('read');
    if (this.#sink === undefined) this.#fail(failure);
    else this.abort(new BrokenAnswer(failure));
  }

  #try(decision: ForwardDecision): void {
    const { connectors } = this.#parts;
    const { backend } = decision;
    const endpoint = this.#tries.begin(decision);
    const request = this.#request;
    if (endpoint === undefined || request === undefined) {
      this.#answerByItself(503, `Service ${backend.key} has no endpoints that are ready`);
      return;
    }
    if (this.#parts.accessLog !== undefined) this.#triedAtMs = performance.now();
    const connector = backend.protocol === 'http2' ? connectors.http2 : connectors.http1;
    this.#exchange = connector.open({ endpoint, tls: backend.tls }, request, this.#deadlines, this);
  }

  #endTry(): void {
    this.#tries.end();
    this.#exchange = undefined;
  }

  /** Tries again, where that is safe and better than nothing. */
  #tryAgain(outcome: UpstreamFailure | number, untouched: boolean): boolean {
    const decision = this.#decision;
    if (decision?.kind !== 'forward') return false;
    const repeatable = this.#relay === undefined;
    if (!this.#tries.isOverFor(decision, this.#head.method, outcome, untouched, repeatable)) return false;
    this.#exchange = undefined;
    this.#try(decision);
    return true;
  }

  // Told by the upstream's connection.

  sent(body: BodySink): void {
    this.#tries.accepted();
    if (this.#over || this.#head.body === 'none' || this.#relay !== undefined) return;
    const decision = this.#decision;
    if (decision?.kind !== 'forward') return;
    this.#relay = new RequestRelay(body, decision, this);
    this.#client.continue();
    this.#client.requestBody.pipe(this.#relay);
  }

  drained(): void {
    if (this.#resumeTunnel === undefined) this.#client.requestBody.resume();
    else this.#resumeTunnel();
  }

  informed(status: number, fields: HeaderFields): void {
    if (!this.#over) this.#client.inform(status, fields);
  }

  answered(head: AnswerHead, body: BodySource): void {
    const decision = this.#decision;
    if (this.#over || decision?.kind !== 'forward') return body.discard();
    const { policy } = decision;
    const { status } = head;
    if (this.#triedAtMs > 0) this.#upstreamMs = round(performance.now() - this.#triedAtMs);
    if (policy.retry !== undefined && status >= 429) {
      const exchange = this.#exchange;
      if (this.#tryAgain(status, false)) {
        exchange?.abort();
        return;
      }
    }
    if (wantsErrorPage(policy, status)) {
      body.discard();
      this.#endTry();
      return this.#askPage(decision, status);
    }
    this.#answer(head, body, decision);
  }

  #answer(head: AnswerHead, body: BodySource, decision: ForwardDecision): void {
    const movedTo = this.#tries.repeated ? this.#tries.endpoint : undefined;
    this.#status = head.status;
    this.#source = body;
    this.#sink = this.#client.answer(answerHead(decision, this.#head, head, movedTo));
    body.pipe(this);
    this.#sink.flush?.();
  }

  upgraded(head: AnswerHead, source: BodySource, sink: BodySink): void {
    if (this.#over || this.#client.upgrade === undefined) {
      sink.abort(new Error('the client cannot change protocols'));
      if (!this.#over) this.#fail(unasked);
      return;
    }
    this.#status = 101;
    this.#exchange = undefined;
    this.#endWhole();
    this.#source = source;
    const client = this.#client.upgrade(upgradeHead(this.#decision, head));
    this.#resumeTunnel = joinTunnels(client, { source, sink }, bytes => {
      this.#bytesSent = bytes;
      this.#finish();
    });
  }

  failed(failure: UpstreamFailure, untouched: boolean): void {
    if (failedToConnect(failure)) this.#tries.refused();
    if (this.#over) return;
    if (!this.#tryAgain(failure, untouched)) this.#fail(failure);
  }

  #fail(failure: UpstreamFailure): void {
    const decision = this.#decision;
    if (decision?.kind === 'forward') {
      this.#parts.upstreamFailed(decision.route, decision.backend, failure);
      if (wantsErrorPage(decision.policy, failure.status)) {
        this.#endTry();
        return this.#askPage(decision, failure.status);
      }
    }
    this.#answerByItself(failure.status, failure.code);
  }

  // The sink of the answer's body.

  get consumes(): boolean {
    return this.#sink?.consumes === true;
  }

  write(chunk: Buffer): boolean {
    this.#bytesSent += chunk.length;
    return this.#sink?.write(chunk) ?? true;
  }

  end(trailers?: HeaderFields): void {
    if (this.#over) return;
    const decision = this.#decision;
    const edits = decision?.kind === 'forward' ? decision.responseEdits : undefined;
    this.#sink?.end(answerTrailers(trailers, edits));
    this.#finish();
  }

  abort(error: Error): void {
    if (this.#over) return;
    const decision = this.#decision;
    if (error instanceof BrokenAnswer && decision?.kind === 'forward')
      this.#parts.upstreamFailed(decision.route, decision.backend, error.failure);
    this.#reason = error.message;
    this.#sink?.abort(error);
    this.#finish();
  }

  // Told by the relay of the request's body.

  bodyEnded(): void {
    const decision = this.#decision;
    if (decision?.kind === 'forward') this.#startWhole(decision);
  }

  bodyTooLong(): void {
    this.#exchange?.abort();
    if (this.#over) return;
    if (this.#sink === undefined) this.#answerByItself(413, 'body longer than it may be');
    else this.abort(new Error('body longer than it may be'));
  }

  bodyFailed(error: Error): void {
    this.#exchange?.abort();
    if (this.#over) return;
    if (this.#sink === undefined && error instanceof BodyFault)
      this.#answerByItself(error.status, error.message);
    else if (this.#sink !== undefined) this.abort(error);
  }

  // The end.

  #askPage(decision: ForwardDecision, status: number): void {
    this.#exchange = askErrorPage(
      this.#parts,
      decision,
      this.#head,
      status,
      this.#deadlines,
      (head, body) => {
        if (this.#over) return body?.discard();
        if (head === undefined || body === undefined) this.#answerByItself(status, 'no error page');
        else this.#answer(head, body, decision);
      },
    );
  }

  #answerByItself(status: number, reason: string, fields: readonly string[] = []): void {
    this.#relay?.stop();
    this.#exchange?.abort();
    this.#status = status;
    this.#reason = reason;
    if (this.#head.body !== 'none') this.#client.requestBody.discard();
    const decision = this.#decision;
    const own = decision?.kind === 'forward' ? [...fields, ...fieldsOfOwnAnswer(decision)] : fields;
    this.#bytesSent = answerByItself(this.#client, status, own);
    this.#finish();
  }

  #clientGone(): void {
    if (this.#over) return;
    this.#exchange?.abort();
    this.#reason = 'the client has gone';
    this.#finish();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    const upstream = this.#tries.endpoint;
    this.#endTry();
    this.#relay?.stop();
    this.#endWhole();
    const decision = this.#decision;
    if (decision?.kind === 'forward') decision.release?.();
    recordRequest(this.#parts, {
      head: this.#head,
      status: this.#status,
      startedMs: this.#startedMs,
      route: decision?.route,
      bytesReceived: this.#relay?.bytes ?? 0,
      bytesSent: this.#bytesSent,
      requestId: this.#requestId,
      upstream:
        upstream === undefined || this.#parts.accessLog === undefined
          ? undefined
          : `${upstream.address}:${upstream.port}`,
      upstreamMs: this.#upstreamMs,
      reason: this.#reason,
    });
  }
}

const unasked: UpstreamFailure = {
  status: 502,
  code: 'EDGE_UPSTREAM_UPGRADED',
  message: 'status 101 unasked',
  verification: false,
};

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}

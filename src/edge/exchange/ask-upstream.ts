import type { UpstreamFailure } from '../upstream/failure.ts';
import type {
  AnswerHead,
  BodySource,
  UpstreamConnector,
  UpstreamDeadlines,
  UpstreamExchange,
  UpstreamRequest,
  UpstreamTarget,
} from './ports.ts';

/** Takes the answer and its body, or learns that there is none. */
export interface AskListener {
  answered(head: AnswerHead, body: BodySource): void;
  failed(failure: UpstreamFailure): void;
}

/** Sends a request of the edge's own, without a body: it asks for a page or a permission. Never tried again. */
export function askUpstream(
  connector: UpstreamConnector,
  target: UpstreamTarget,
  request: Pick<UpstreamRequest, 'method' | 'authority' | 'scheme' | 'target' | 'fields'>,
  deadlines: UpstreamDeadlines,
  listener: AskListener,
): UpstreamExchange {
  const whole: UpstreamRequest = {
    ...request,
    framing: { kind: 'none' },
    upgrade: undefined,
    trailersWanted: false,
  };
  return connector.open(target, whole, deadlines, {
    sent: () => {},
    drained: () => {},
    informed: () => {},
    answered: (head, body) => listener.answered(head, body),
    upgraded: (_head, _source, sink) => {
      sink.abort(new Error('nobody asked for another protocol'));
      listener.failed({
        status: 502,
        code: 'EDGE_UPSTREAM_UPGRADED',
        message: 'status 101 unasked',
        verification: false,
      });
    },
    failed: failure => listener.failed(failure),
  });
}

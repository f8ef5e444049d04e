import type { ForwardDecision } from '../policy/decision.ts';
import { errorPageFields } from '../policy/error-pages.ts';
import type { CheckedHead } from '../policy/request-head.ts';
import { askUpstream } from './ask-upstream.ts';
import type { ForwardParts } from './forward-parts.ts';
import { headerFieldsOf } from './header-fields.ts';
import type { AnswerHead, BodySource, UpstreamDeadlines, UpstreamExchange } from './ports.ts';

/**
 * Asks the backend of the route's error pages for the one that stands for `status`. Calls back once, with the answer for the
 * client, or with nothing where there is no page to be had.
 */
export function askErrorPage(
  { table, balancer, connectors }: ForwardParts,
  { policy, route, host }: ForwardDecision,
  head: CheckedHead,
  status: number,
  deadlines: UpstreamDeadlines,
  done: (head: AnswerHead | undefined, body: BodySource | undefined) => void,
): UpstreamExchange | undefined {
  const backend = table().backends.get(policy.errorPages?.backend ?? '');
  const candidate =
    backend === undefined || backend.kind === 'unavailable' ? undefined : balancer.choose(backend);
  if (backend === undefined || backend.kind === 'unavailable' || candidate === undefined) {
    done(undefined, undefined);
    return undefined;
  }
  return askUpstream(
    backend.protocol === 'http2' ? connectors.http2 : connectors.http1,
    { endpoint: candidate.endpoint, tls: backend.tls },
    {
      method: 'GET',
      authority: host,
      scheme: backend.tls === undefined ? 'http' : 'https',
      target: '/',
      fields: headerFieldsOf(errorPageFields(status, head, route, undefined)),
    },
    deadlines,
    {
      answered: (answer, body) =>
        done(answer.status === 200 ? { ...pageHead(answer), status, statusText: '' } : answer, body),
      failed: () => done(undefined, undefined),
    },
  );
}

function pageHead({ fields, framing }: AnswerHead): Pick<AnswerHead, 'fields' | 'framing'> {
  return { fields, framing };
}

import type { Clock } from '../core/clock.ts';
import type { EndpointGates } from './endpoint-gates.ts';
import { failureOf, problemOf, retryAfterOf } from './failed-answer.ts';
import { isAboutNames } from './rate-limit.ts';
import type { AcmeAnswer, AcmeExchange, Transport } from './transport.ts';

/** An exchange, with what its gate and its messages need to know. */
export interface GatedRequest extends AcmeExchange {
  readonly doing: string;
  /** The DNS names and addresses it is about: a rate limit of theirs does not hold up other requests. */
  readonly names?: readonly string[] | undefined;
}

/**
 * `exchange` of a transport, through the gate of the endpoint that `action` names: see `EndpointGates`. A 429 closes it,
 * and a 503 that says for how long.
 */
export function gatedExchange(parts: {
  readonly transport: Transport;
  readonly gates: EndpointGates;
  /** For messages. */
  readonly host: string;
  readonly clock: Clock;
}): (request: GatedRequest) => Promise<AcmeAnswer> {
  const { transport, gates, host, clock } = parts;
  return async ({ doing, names = [], ...request }) => {
    const leave = gates.enter(request.action);
    let answer: AcmeAnswer;
    try {
      answer = await transport.exchange(request);
    } catch (error) {
      leave('lost');
      throw error;
    }
    const isBusy = answer.status === 503 && retryAfterOf(answer, clock.now()) !== undefined;
    const asksAll = (answer.status === 429 || isBusy) && !isAboutNames(problemOf(answer), names);
    leave(asksAll ? failureOf(answer, doing, host, clock.now()) : 'done');
    return answer;
  };
}

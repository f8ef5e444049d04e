import { isIP } from 'node:net';
import { plainHandshake, type UpstreamTls } from '../compile/table.ts';
import type { AnswerDecision, ForwardDecision } from '../policy/decision.ts';
import { type AuthAnswer, afterAuth, authImpossible, authRequest } from '../policy/external-auth.ts';
import type { CheckedHead } from '../policy/request-head.ts';
import type { ExternalAuth } from '../policy/route-policy.ts';
import { askUpstream } from './ask-upstream.ts';
import type { ForwardParts } from './forward-parts.ts';
import { headerFieldsOf } from './header-fields.ts';
import type { UpstreamExchange } from './ports.ts';

/**
 * Asks the service of the route's external authentication, and calls back once with what becomes of the request then; without
 * an answer nobody passes.
 */
export function askPermission(
  parts: ForwardParts,
  auth: ExternalAuth,
  decision: ForwardDecision,
  head: CheckedHead,
  done: (decision: ForwardDecision | AnswerDecision) => void,
): UpstreamExchange | undefined {
  const { trusted } = parts.context;
  const settle = (answer: AuthAnswer | undefined): void =>
    done(afterAuth(auth, decision, head, trusted, answer));
  const request = authRequest(auth, head, {
    routeHost: decision.route.host,
    trusted,
    standalone: parts.standalone,
    requestEdits: decision.requestEdits,
  });
  if ('error' in request) {
    parts.logger.warn('external authentication cannot be asked', {
      ingress: `${decision.route.source.namespace}/${decision.route.source.name}`,
      error: request.error,
    });
    done(authImpossible(decision, request.error));
    return undefined;
  }
  const { scheme, host, port, authority, method, target, fields, timeoutMs } = request;
  const deadlines = { connectMs: timeoutMs, readMs: timeoutMs, sendMs: timeoutMs };
  return askUpstream(
    parts.connectors.http1,
    { endpoint: { address: host, port }, tls: scheme === 'https' ? verifiedTls(host) : undefined },
    { method, authority, scheme, target, fields: headerFieldsOf(fields) },
    deadlines,
    {
      answered(answer, body) {
        body.discard();
        settle({ status: answer.status, fields: answer.fields });
      },
      failed(failure) {
        parts.logger.warn('external authentication gave no answer', {
          ingress: `${decision.route.source.namespace}/${decision.route.source.name}`,
          code: failure.code,
          error: failure.message,
        });
        settle(undefined);
      },
    },
  );
}

/** TLS to a host that is verified by the authorities of the system and its own name. */
function verifiedTls(host: string): UpstreamTls {
  return {
    id: `system authorities, ${host}`,
    verify: true,
    verifiedName: host,
    serverName: isIP(host) === 0 ? host : undefined,
    ca: undefined,
    client: undefined,
    crl: undefined,
    depth: undefined,
    handshake: plainHandshake,
  };
}

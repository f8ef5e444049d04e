import { createHash } from 'node:crypto';
import { keyAuthorization } from '../../acme/authorization.ts';
import type { AcmeConnection } from '../../acme/connection.ts';
import { type Challenge, challenges } from '../../api/acme/challenge.ts';
import { type AcmeAuthorization, type Order, orders } from '../../api/acme/order.ts';
import type { AcmeSolver } from '../../api/acme/solver.ts';
import { challengeFinalizer } from '../../api/labels.ts';
import type { ObjectMeta } from '../../api/meta.ts';
import { apiVersionOf } from '../../api/resource.ts';
import { ownedBy } from '../../issuers/owned-by.ts';
import { ended, quoted } from '../../issuers/sentence.ts';
import { chooseSolver } from '../../solvers/http01/choose.ts';
import { solverWithOverrides } from '../../solvers/http01/solver-settings.ts';

/** A Challenge to be made, or why the authorization cannot be proved. */
export type ChallengeChoice = { readonly challenge: Challenge } | { readonly problem: string };

/**
 * The Challenge by which one authorization of an Order is to be proved. What the annotations say about the solver is read from
 * `asked`, the metadata of its CertificateRequest: those of the Order are a copy that others may have changed.
 */
export function challengeFor(
  order: Order,
  asked: Pick<ObjectMeta, 'labels' | 'annotations'>,
  authorization: AcmeAuthorization,
  solvers: readonly AcmeSolver[],
  connection: Pick<AcmeConnection, 'thumbprint'>,
  isIngressClass: (name: string) => boolean,
): ChallengeChoice {
  const { identifier = '', wildcard = false } = authorization;
  const offeredTypes = authorization.challenges?.map(challenge => challenge.type) ?? [];
  const { labels = {}, annotations = {} } = asked;
  const choice = chooseSolver(solvers, { host: identifier, wildcard, labels, offered: offeredTypes });
  if ('reason' in choice) return { problem: ended(choice.reason) };
  const solver = solverWithOverrides(choice.solver, annotations, isIngressClass);
  const offered = authorization.challenges?.find(challenge => challenge.type === 'http-01');
  if (offered === undefined) {
    return { problem: `The ACME server offers no http-01 challenge for ${quoted(identifier)}.` };
  }
  const { name = '', namespace } = order.metadata;
  return {
    challenge: {
      apiVersion: apiVersionOf(challenges),
      kind: challenges.kind,
      metadata: {
        name: `${name.slice(0, 240).replace(/[-.]+$/, '')}-${createHash('sha256').update(authorization.url).digest('hex').slice(0, 10)}`,
        namespace,
        // A temporary Ingress goes with its owner, the Challenge. What is edited in place must be undone first.
        ...(solver.http01?.ingress?.name !== undefined && { finalizers: [challengeFinalizer] }),
        ownerReferences: [ownedBy(order, orders)],
      },
      spec: {
        type: 'HTTP-01',
        url: offered.url,
        authorizationURL: authorization.url,
        dnsName: identifier,
        wildcard,
        token: offered.token,
        key: keyAuthorization(connection, offered.token),
        solver,
        issuerRef: order.spec.issuerRef,
      },
    },
  };
}

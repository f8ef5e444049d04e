import type { Challenge } from '../../api/acme/challenge.ts';
import { keyOf } from '../../api/meta.ts';
import type { ChallengeTarget, Solver } from '../solver.ts';
import { canonicalHost } from './challenge-host.ts';
import { routeOf } from './challenge-path.ts';
import type { InPlaceIngresses } from './in-place.ts';
import type { Responder } from './responder.ts';
import type { SelfChecks, SelfCheckTarget } from './self-check.ts';
import type { SolverServices } from './solver-service.ts';
import type { TemporaryIngresses } from './temporary-ingress.ts';

/** What the HTTP01 solver is put together from. */
export interface Http01Parts {
  readonly responder: Responder;
  readonly services: SolverServices;
  readonly temporary: TemporaryIngresses;
  readonly inPlace: InPlaceIngresses;
  readonly selfChecks: SelfChecks;
  /** See `createNodePortRule`. */
  needsNodePort(challenge: Challenge): boolean;
}

/**
 * HTTP01 without solver pods: the responder holds the answer, the solver Service leads to it, and a path of an Ingress
 * (a temporary one, or with `http01.ingress.name` one that exists) leads to the Service.
 */
export function createHttp01Solver(parts: Http01Parts): Solver {
  const { responder, services, temporary, inPlace, selfChecks } = parts;
  return {
    async present(target) {
      const { challenge, keyAuthorization } = target;
      routeOf(challenge); // refuses what must not reach an Ingress
      responder.put({
        owner: ownerOf(challenge),
        host: challenge.spec.dnsName,
        token: challenge.spec.token,
        keyAuthorization,
      });
      // The Service first: an Ingress whose Service is missing makes some controllers answer 503 for a while.
      await services.ensure(challenge.metadata.namespace ?? '', {
        nodePort: parts.needsNodePort(challenge),
      });
      const name = challenge.spec.solver.http01?.ingress?.name ?? '';
      await (name === '' ? temporary.ensure(challenge) : inPlace.ensurePath(challenge, name));
    },
    check: target => selfChecks.poll(selfCheckTargetOf(target)),
    async cleanUp(challenge) {
      selfChecks.forget(ownerOf(challenge));
      responder.drop(ownerOf(challenge));
      const name = challenge.spec.solver.http01?.ingress?.name ?? '';
      if (name === '') await temporary.remove(challenge);
      else await inPlace.removePath(challenge, name);
    },
  };
}

function ownerOf(challenge: Challenge): string {
  return challenge.metadata.uid ?? '';
}

function selfCheckTargetOf({ challenge, keyAuthorization }: ChallengeTarget): SelfCheckTarget {
  const { dnsName, token } = challenge.spec;
  return {
    id: ownerOf(challenge),
    key: keyOf(challenge),
    host: canonicalHost(dnsName) ?? dnsName,
    token,
    keyAuthorization,
  };
}

import type { Issuer } from '../api/cert-manager/issuer.ts';
import type { AcmeAccounts } from '../issuers/acme/accounts.ts';
import type { RenewalWindows } from '../issuers/acme/renewal-windows.ts';
import type { IssuerTypes } from '../issuers/index.ts';
import type { ControllerSpec } from '../runtime/controller.ts';
import type { NameChecks } from '../solvers/http01/name-checks.ts';
import type { SelfChecks } from '../solvers/http01/self-check.ts';
import type { SolverServices } from '../solvers/http01/solver-service.ts';
import type { Solver } from '../solvers/solver.ts';
import { certificateController } from './certificate/index.ts';
import { certificateRequestController } from './certificate-request/index.ts';
import { challengeController } from './challenge/index.ts';
import type { ControllerContext } from './context.ts';
import { ingressShim } from './ingress-shim/index.ts';
import type { ShimDefaults } from './ingress-shim/issuer.ts';
import { type IngressStatusOptions, ingressStatusController } from './ingress-status/index.ts';
import { clusterIssuerController, issuerController } from './issuer/index.ts';
import { createIssuerSecrets } from './issuer-secrets.ts';
import { orderController } from './order/index.ts';
import { createProofs } from './proofs.ts';
import { solverServiceController } from './solver-service/index.ts';

/** What the controllers are told, and what they work with beside the API. */
export interface ControllersOptions {
  readonly shim: ShimDefaults;
  readonly issuerTypes: IssuerTypes;
  readonly accounts: AcmeAccounts;
  /** Absent where ACME servers are not asked when to renew. */
  readonly renewalWindows?: RenewalWindows | undefined;
  readonly solver: Solver;
  readonly selfChecks: Pick<SelfChecks, 'onSettled'>;
  readonly nameChecks: NameChecks;
  readonly solverServices: SolverServices;
  readonly clusterResourceNamespace: string;
  readonly ownerRefOnSecrets: boolean;
  readonly maxConcurrentChallenges: number;
  /** Whether requests for in-tree issuers are approved here. */
  readonly approves: boolean;
  /** Absent where Ingresses are not told where they are served. */
  readonly ingressStatus?: IngressStatusOptions | undefined;
}

/** Every controller, in the order of the flow. */
export function allControllers(context: ControllerContext, options: ControllersOptions): ControllerSpec[] {
  const { accounts, issuerTypes, solver, selfChecks, clusterResourceNamespace, approves } = options;
  const onDoubt = (listener: (issuer: Issuer) => void): void => accounts.onDoubt(listener);
  const proofs = createProofs(context.clock);
  const madeHere = new Set<string>();
  const issuerSecrets = createIssuerSecrets(context, clusterResourceNamespace);
  const issuerOptions = { issuerTypes, clusterResourceNamespace, issuerSecrets, onDoubt };
  return [
    ingressShim(context, options.shim),
    certificateController(context, {
      ownerRefOnSecrets: options.ownerRefOnSecrets,
      accounts,
      renewalWindows: options.renewalWindows,
      issuerSecrets,
    }),
    certificateRequestController(context, { issuerTypes, approves }),
    issuerController(context, issuerOptions),
    clusterIssuerController(context, issuerOptions),
    orderController(context, accounts, { proofs, names: options.nameChecks, madeHere, approves }),
    challengeController(context, {
      accounts,
      solver,
      proofs,
      madeHere,
      approves,
      onCheckSettled: listener => selfChecks.onSettled(listener),
      mostAtOnce: options.maxConcurrentChallenges,
    }),
    solverServiceController(context, options.solverServices),
    ...(options.ingressStatus === undefined ? [] : [ingressStatusController(context, options.ingressStatus)]),
  ];
}

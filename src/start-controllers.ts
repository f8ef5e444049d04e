import { ingresses } from './api/kubernetes/ingress.ts';
import { ingressClasses } from './api/kubernetes/ingress-class.ts';
import { type ClassSettings, defaultClassSettings } from './api/kubernetes/ingress-selection.ts';
import type { Config } from './config/config.ts';
import type { ControllerContext } from './controllers/context.ts';
import { allControllers } from './controllers/index.ts';
import { clearStatusOfLast, type Replica } from './controllers/ingress-status/clear.ts';
import type { IngressStatusOptions } from './controllers/ingress-status/index.ts';
import { createAcmeAccounts } from './issuers/acme/accounts.ts';
import { createRenewalWindows } from './issuers/acme/renewal-windows.ts';
import { createIssuerTypes } from './issuers/index.ts';
import type { ControllerSpec } from './runtime/controller.ts';
import type { Metrics } from './runtime/metrics.ts';
import { createHttp01Solver } from './solvers/http01/http01-solver.ts';
import { createInPlaceIngresses } from './solvers/http01/in-place.ts';
import { createNameChecks } from './solvers/http01/name-checks.ts';
import { createNodePortRule } from './solvers/http01/node-port.ts';
import { createProbe } from './solvers/http01/probe.ts';
import { createHostResolver } from './solvers/http01/resolve-host.ts';
import { createResponder } from './solvers/http01/responder.ts';
import { createSelfChecks } from './solvers/http01/self-check.ts';
import { startSolverListener } from './solvers/http01/solver-listener.ts';
import { createSolverServices } from './solvers/http01/solver-service.ts';
import { createTemporaryIngresses } from './solvers/http01/temporary-ingress.ts';

/** The controllers, ready to be worked, and what they hold open. */
export interface StartedControllers {
  readonly specs: readonly ControllerSpec[];
  stop(): Promise<void>;
}

/** Puts the controllers together with their issuers and their solver, and opens the solver listener. */
export async function startControllers(
  context: ControllerContext,
  config: Config,
  metrics: Metrics,
  userAgent: string,
  replica: Replica,
): Promise<StartedControllers> {
  const { api, caches, clock, logger } = context;
  const { clusterResourceNamespace } = config;
  const issuerContext = {
    api,
    caches,
    clock,
    logger: logger.child({ room: 'acme' }),
    clusterResourceNamespace,
  };
  const accounts = createAcmeAccounts(issuerContext, {
    userAgent,
    onRequest: facts => metrics.acmeRequest(facts),
  });

  const renewalWindows = config.acmeRenewalInformation
    ? createRenewalWindows(issuerContext, accounts)
    : undefined;

  const responder = createResponder();
  const { host, port } = config.solver.listen;
  const listener = await startSolverListener({
    responder,
    host: host === '' ? undefined : host,
    port,
    logger,
  });
  const resolve = createHostResolver(config.http01.nameservers);
  const nameChecks = createNameChecks({ resolve, clock });
  const probe = createProbe({
    resolve,
    port: config.http01.port,
    clock,
  });
  const selfChecks = createSelfChecks({ probe, port: config.http01.port, clock });
  const solverServices = createSolverServices({
    api,
    caches,
    clock,
    solver: { address: config.solver.address, port: listener.port },
  });
  const ingressCache = caches.cacheOf(ingresses);
  const solver = createHttp01Solver({
    responder,
    services: solverServices,
    temporary: createTemporaryIngresses({ api, ingresses: ingressCache }),
    inPlace: createInPlaceIngresses({ api, ingresses: ingressCache }),
    selfChecks,
    needsNodePort: createNodePortRule({
      ingresses: ingressCache,
      classes: caches.cacheOf(ingressClasses),
      settings: classSettingsOf(config),
    }),
  });
  const ingressStatus = ingressStatusOf(config);
  return {
    specs: allControllers(context, {
      shim: {
        issuer: { ...config.defaultIssuer, name: config.defaultIssuer.name ?? '' },
        autoCertificateAnnotations: config.autoCertificateAnnotations,
        extraCertificateAnnotations: config.extraCertificateAnnotations,
      },
      issuerTypes: createIssuerTypes(issuerContext, accounts),
      accounts,
      renewalWindows,
      solver,
      selfChecks,
      nameChecks,
      solverServices,
      clusterResourceNamespace,
      ownerRefOnSecrets: config.enableCertificateOwnerRef,
      maxConcurrentChallenges: config.maxConcurrentChallenges,
      approves: config.approveRequests,
      ingressStatus,
    }),
    async stop() {
      if (ingressStatus !== undefined) await clearStatusOfLast(context, ingressStatus, replica);
      selfChecks.stop();
      nameChecks.stop();
      renewalWindows?.stop();
      accounts.close();
      await listener.close();
    },
  };
}

function ingressStatusOf(config: Config): IngressStatusOptions | undefined {
  const { published } = config;
  return published === undefined ? undefined : { published, classes: classSettingsOf(config) };
}

function classSettingsOf({ ingressClasses, source, edge }: Config): ClassSettings {
  return {
    ...defaultClassSettings,
    ingressClasses,
    watchIngressWithoutClass: edge.watchIngressWithoutClass,
    standalone: source.kind === 'standalone',
  };
}

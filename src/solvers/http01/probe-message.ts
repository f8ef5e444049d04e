import type { CheckFailure } from '../solver.ts';
import { urlHost } from './challenge-host.ts';
import type { ProbeFailure, ProbeTarget } from './probe.ts';

const toIngress = 'the address of the Ingress controller';

/** What a probe saw, and what to do about it, in words for the user. Tokens and answers are not in them. */
export function explainProbe(failure: ProbeFailure, target: ProbeTarget, port: number): CheckFailure {
  const site = `http://${urlHost(target.host)}${port === 80 ? '' : `:${port}`}/.well-known/acme-challenge/...`;
  switch (failure.kind) {
    case 'dns':
      return explainDns(failure);
    case 'connect':
      return {
        reason: `${target.host}: ${connectText(failure.code)} at ${failure.at}`,
        fix: `let ${target.host} lead to ${toIngress}, and open port ${port} there to the internet`,
      };
    case 'timeout':
      return {
        reason: `${target.host}: no answer${failure.at === undefined ? '' : ` from ${failure.at}`} in time`,
        fix: `let ${target.host} lead to ${toIngress}, and open port ${port} there to the internet`,
      };
    case 'status':
      return {
        reason: `${site} was answered ${failure.status} by ${failure.at}, where 200 and the challenge's answer are due`,
        fix:
          failure.status === 404
            ? `check that ${failure.at} is an Ingress controller that serves the class of the solver Ingress`
            : `check that nothing before the Ingress controller (a login, a firewall, a CDN) takes that path`,
      };
    case 'mismatch':
      return {
        reason: `${site} was answered by ${failure.at} with something else (${failure.complete ? '' : 'more than '}${failure.length} bytes) than the challenge's answer`,
        fix: `check that ${failure.at} is the Ingress controller of this cluster, and that no other Ingress has that path`,
      };
    case 'broken':
      return {
        reason: `${site}: ${failure.at} broke the connection off, or does not speak HTTP`,
        fix: `check what listens at ${failure.at}; a load balancer may send the PROXY protocol to a port without it`,
      };
    case 'redirect':
      return explainRedirect(failure, site);
    default:
      return {
        reason: `${target.host} leads to ${failure.address}, where no site can be`,
        fix: `let the DNS record lead to ${toIngress}`,
      };
  }
}

function explainDns(failure: ProbeFailure & { kind: 'dns' }): CheckFailure {
  const { host, why, asked } = failure;
  if (why === 'none') {
    return {
      reason: `${host} does not resolve: it has no A or AAAA record (asked ${asked})`,
      fix: `make a DNS record for it that leads to ${toIngress}`,
    };
  }
  const what = why === 'timeout' ? 'no answer in time' : 'the name servers could not answer';
  return {
    reason: `${host} does not resolve: ${what} (asked ${asked})`,
    fix: 'check the delegation and the name servers of its zone, or name others by --acme-http01-solver-nameservers',
  };
}

function explainRedirect(failure: ProbeFailure & { kind: 'redirect' }, site: string): CheckFailure {
  const why = {
    count: 'more than 10 times',
    scheme: 'to something else than http or https',
    port: 'to a port that is neither 80 nor 443',
    local: 'to a host at a private address, which the self-check does not follow',
    malformed: 'to something that is no URL',
  }[failure.why];
  return {
    reason: `${site} is redirected ${why} (${failure.to})`,
    fix: 'serve /.well-known/acme-challenge/ without a redirect',
  };
}

function connectText(code: string): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'connection refused';
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
    case 'EADDRNOTAVAIL':
      return 'no route';
    case 'ETIMEDOUT':
      return 'no answer in time';
    default:
      return `no connection (${code})`;
  }
}

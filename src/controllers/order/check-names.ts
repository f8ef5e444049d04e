import { keyOf } from '../../api/meta.ts';
import { ended } from '../../issuers/sentence.ts';
import type { ReconcileResult } from '../../runtime/controller.ts';
import { chooseSolver } from '../../solvers/http01/choose.ts';
import { soonest } from '../requeue.ts';
import { type OrderWork, tellWait } from './work.ts';

/**
 * Looks whether the names of an Order are in the DNS, before an order is spent on them. Gives what to wait for; undefined
 * where it can be ordered. Names whose solver says that nothing can be looked up from here (`waitInsteadOfSelfCheck`) are
 * left out, and those for which there is none: the CA may have proved them otherwise (external accounts, wildcards), and
 * only the order's own authorizations tell; where it has not, the Order fails and says so.
 */
export async function awaitNames(work: OrderWork): Promise<ReconcileResult | undefined> {
  const { order, request, issuer, names } = work;
  const { labels = {} } = request.metadata;
  const solvers = issuer.spec.acme?.solvers ?? [];
  const isChecked = (host: string): boolean => {
    const choice = chooseSolver(solvers, { host, wildcard: false, labels, offered: ['http-01'] });
    return 'solver' in choice && choice.solver.waitInsteadOfSelfCheck === undefined;
  };
  const hosts = (order.spec.dnsNames ?? []).filter(name => !name.startsWith('*.') && isChecked(name));
  const check = names.poll(keyOf(order), hosts);
  if (check.state === 'passed') return undefined;
  const failure = check.state === 'failed' ? check : check.last;
  if (failure === undefined) return {};
  const reason = `Nothing is ordered yet: ${failure.reason}; ${ended(failure.fix)}`;
  const { requeueAfterMs } = await tellWait(work, order, reason);
  return soonest(requeueAfterMs, check.state === 'failed' ? check.retryAfterMs : undefined);
}

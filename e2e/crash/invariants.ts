import type { AcmeRecord } from '../harness/acme-fault-proxy.ts';
import type { PairReading } from '../harness/pair-history.ts';

/** What one run left behind that was killed, or not, and carried on to its end. */
export interface RunFacts {
  /** What it was to reach. */
  readonly revision: number;
  /** Killed between the making of the order and the write of its URL: the one gap in which a second order is made. */
  readonly wasInGap: boolean;
  /** Its requests to the ACME server. */
  readonly requests: readonly AcmeRecord[];
  /** The serial number before the run, where there was a certificate. */
  readonly oldSerial: string | undefined;
  readonly after: {
    readonly pair: PairReading;
    readonly revision: number | undefined;
    readonly failures: number | undefined;
    /** The CertificateRequests of the Certificate that are left. */
    readonly requestsLeft: number;
    /** All that a reader could have read during the run. */
    readonly history: readonly PairReading[];
  };
}

/** What of a run is not as it must be always. */
export function violationsOf({ revision, wasInGap, requests, oldSerial, after }: RunFacts): string[] {
  const count = (action: AcmeRecord['action'], status: number) =>
    requests.filter(one => one.action === action && one.serverStatus === status).length;
  const problems: string[] = [];
  const must = (holds: boolean, problem: string) => {
    if (!holds) problems.push(problem);
  };
  const [orders, finalised] = [count('new-order', 201), count('finalize', 200)];
  const mostOrders = wasInGap ? 2 : 1;
  must(finalised === 1, `${finalised} certificates were finalised`);
  must(orders >= 1 && orders <= mostOrders, `${orders} orders were made, ${mostOrders} at most`);
  must(after.pair.problem === undefined, `in the end: ${after.pair.problem}`);
  must(after.revision === revision, `the revision is ${after.revision}`);
  must(after.failures === undefined, `${after.failures} failures were recorded`);
  must(after.requestsLeft === 1, `${after.requestsLeft} CertificateRequests are left`);
  must(after.pair.serial !== oldSerial, 'the certificate is the old one');
  must(after.history.length > 0, 'nobody could have read anything');
  let isNew = false;
  for (const { serial, problem } of after.history) {
    must(problem === undefined, `a reader found: ${problem}`);
    must(serial === after.pair.serial || (!isNew && serial === oldSerial), `a reader found ${serial}`);
    isNew ||= serial === after.pair.serial;
  }
  return problems;
}

/** Whether a run that was killed had made its order, and not stored it. */
export function isInGap(requests: readonly AcmeRecord[], wasOrderStored: boolean): boolean {
  return !wasOrderStored && requests.some(one => one.action === 'new-order' && one.serverStatus === 201);
}

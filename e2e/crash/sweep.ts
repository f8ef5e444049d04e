import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { certificates } from '../../src/api/cert-manager/certificate.ts';
import { certificateRequests } from '../../src/api/cert-manager/certificate-request.ts';
import { withCondition } from '../../src/api/condition.ts';
import { secrets } from '../../src/api/kubernetes/secret.ts';
import { rfc3339, systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { type EmbeddedApi, openEmbeddedApi } from '../../src/kube/embedded/open.ts';
import type { AcmeRecord } from '../harness/acme-fault-proxy.ts';
import type { AcmeRule } from '../harness/acme-faults.ts';
import { viewOf } from '../harness/object-view.ts';
import { pairHistory, readPair } from '../harness/pair-history.ts';
import { killServer, type ServerProcess } from '../harness/server-process.ts';
import type { CrashBed, CrashPlace } from './bed.ts';
import { isInGap, violationsOf } from './invariants.ts';
import { site } from './job.ts';

/** A process that takes longer hangs. */
const runMs = 30_000;

/**
 * Where a run is killed: after its n-th write is stored, or at its n-th ACME request, which the server has answered
 * then: before the client has the answer, or as soon as it has.
 */
export type Kill =
  | { readonly at: 'write'; readonly n: number }
  | { readonly at: 'request'; readonly n: number; readonly when: 'before-answer' | 'after-answer' };

/** What came of one run that was killed and started again. */
export interface SweepOutcome {
  readonly name: string;
  /** What the kill fell upon; undefined where the run was over before. */
  readonly killedAt: string | undefined;
  /** Orders that the ACME server made for it. */
  readonly orders: number;
  /** What did not hold; empty where all did. */
  readonly problems: readonly string[];
}

/** What a sweep repeats: from nothing to the first certificate, or from that to the next. */
export interface SweepSubject {
  readonly name: string;
  readonly revision: number;
  /** The state that each run begins with; none where absent. */
  readonly base?: CrashPlace;
}

/** The Certificate's state after a first issuance, with a renewal asked for as `cmctl renew` does it. */
export async function renewalBase(bed: CrashBed): Promise<CrashPlace> {
  const place = await bed.place('base');
  const process = bed.start(place, { revision: 1 });
  await ended(process);
  if (process.exitStatus() !== 0) throw new Error(`the first issuance failed; see ${place.logFile}`);
  await inStore(place, async api => {
    const certificate = await api.get(certificates, { namespace: 'default', name: site.secretName });
    const issuing = {
      type: 'Issuing',
      status: 'True',
      reason: 'ManuallyTriggered',
      message: 'Certificate re-issuance manually triggered',
      lastTransitionTime: rfc3339(Date.now()),
    } as const;
    const conditions = withCondition(certificate.status?.conditions, issuing);
    await api.updateStatus(certificates, {
      ...certificate,
      status: { ...certificate.status, conditions },
    });
  });
  return place;
}

/** Runs the subject through once: how many writes and ACME requests that takes. */
export async function measure(
  bed: CrashBed,
  subject: SweepSubject,
): Promise<{ readonly writes: readonly string[]; readonly requests: readonly AcmeRecord[] }> {
  const place = await bed.place(`${subject.name}-whole`, subject.base);
  const process = bed.start(place, { revision: subject.revision });
  await ended(process);
  if (process.exitStatus() !== 0) throw new Error(`the whole run failed; see ${place.logFile}`);
  return { writes: writesOf(place), requests: recordsOf(bed, place) };
}

/** All points to kill at, a few beyond the end included: not every run takes the same steps. */
export function killsFor(writes: number, requests: number): readonly Kill[] {
  const count = (length: number) => Array.from({ length }, (_, index) => index + 1);
  return [
    ...count(writes + 1).map(n => ({ at: 'write', n }) as const),
    ...count(requests + 1).map(n => ({ at: 'request', n, when: 'before-answer' }) as const),
    ...count(requests).map(n => ({ at: 'request', n, when: 'after-answer' }) as const),
  ];
}

/** The ACME requests at which runs are killed; one set of rules for all runs, as they share the proxy. */
export interface KillSwitch {
  readonly rule: AcmeRule;
  arm(name: string, kill: Kill & { at: 'request' }, process: ServerProcess): void;
  disarm(name: string): void;
}

export function createKillSwitch(): KillSwitch {
  const armed = new Map<string, { left: number; readonly when: string; readonly process: ServerProcess }>();
  const runOf = (userAgent: string) => userAgent.replace('postern/', '');
  return {
    arm(name, { n, when }, process) {
      armed.set(name, { left: n, when, process });
    },
    disarm: name => void armed.delete(name),
    rule: {
      on({ userAgent }) {
        const found = armed.get(runOf(userAgent));
        if (found === undefined) return false;
        found.left -= 1;
        return found.left === 0;
      },
      async fault({ userAgent }, way) {
        const answer = await way.pass();
        const found = armed.get(runOf(userAgent));
        armed.delete(runOf(userAgent));
        if (found === undefined) return { kind: 'answer', answer };
        if (found.when === 'after-answer') {
          setImmediate(() => void killServer(found.process));
          return { kind: 'answer', answer };
        }
        await killServer(found.process);
        return { kind: 'cut' };
      },
    },
  };
}

/** Runs the subject, kills it, starts it again, and holds the whole to what must be true. */
export async function sweepOne(
  bed: CrashBed,
  killSwitch: KillSwitch,
  subject: SweepSubject,
  kill: Kill,
): Promise<SweepOutcome> {
  const name = `${subject.name}-${kill.at}-${kill.n}${kill.at === 'request' ? `-${kill.when}` : ''}`;
  const place = await bed.place(name, subject.base);
  const { revision } = subject;
  const before = subject.base === undefined ? undefined : await inStore(place, readState);

  const first = bed.start(place, kill.at === 'write' ? { revision, killAfterWrite: kill.n } : { revision });
  if (kill.at === 'request') killSwitch.arm(name, kill, first);
  await ended(first);
  // What was sent before the kill may arrive after it.
  await bed.proxy.idle();
  const wasKilled = first.exitStatus() === 'SIGKILL';
  const killedWrites = writesOf(place);
  const killedRequests = recordsOf(bed, place);
  const killedAt = wasKilled
    ? kill.at === 'write'
      ? (killedWrites.at(-1) ?? '')
      : `${killedRequests.at(-1)?.action} (${kill.when})`
    : undefined;

  const problems: string[] = [];
  const must = (holds: boolean, problem: string) => {
    if (!holds) problems.push(`${name}, killed at ${killedAt ?? 'no point'}: ${problem}`);
  };
  must(wasKilled || first.exitStatus() === 0, `it ended with ${first.exitStatus()}; see ${place.logFile}`);
  if (wasKilled) {
    await bed.resume(place, revision).catch(error => must(false, `${String(error)}; see ${place.logFile}`));
  }

  const requests = recordsOf(bed, place);
  if (problems.length === 0) {
    const after = await inStore(place, async api => ({
      ...(await readState(api)),
      history: await pairHistory(api, site.secretName, before?.resourceVersion ?? '0'),
      requestsLeft: (await viewOf(api).list(certificateRequests)).length,
    }));
    const wasOrderStored = killedWrites.some(write => write.startsWith('status orders '));
    const wasInGap = wasKilled && isInGap(killedRequests, wasOrderStored);
    for (const problem of violationsOf({
      revision,
      wasInGap,
      requests,
      oldSerial: before?.pair.serial,
      after,
    }))
      must(false, problem);
  }
  const orders = requests.filter(one => one.action === 'new-order' && one.serverStatus === 201).length;
  return { name, killedAt, orders, problems };
}

/** Works through `items`, some at a time. */
export async function inParallel<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const left = items.entries();
  const worker = async () => {
    for (const [index, item] of left) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

async function readState(api: EmbeddedApi) {
  const key = { namespace: 'default', name: site.secretName };
  const [certificate, secret] = [await api.get(certificates, key), await api.get(secrets, key)];
  const { resourceVersion } = await api.list(secrets);
  return {
    resourceVersion,
    revision: certificate.status?.revision,
    failures: certificate.status?.failedIssuanceAttempts,
    pair: readPair(secret),
  };
}

/** Opens the store of a run whose process has ended. */
async function inStore<T>(place: CrashPlace, work: (api: EmbeddedApi) => Promise<T>): Promise<T> {
  const api = openEmbeddedApi({ stateDir: place.stateDir, clock: systemClock, logger: silentLogger });
  try {
    return await work(api);
  } finally {
    await api.close();
  }
}

async function ended(process: ServerProcess): Promise<void> {
  const late = new AbortController();
  const timeout = sleep(runMs, undefined, { signal: late.signal }).then(
    () => killServer(process),
    () => {},
  );
  await process.exited;
  late.abort();
  await timeout;
}

function writesOf(place: CrashPlace): string[] {
  if (!existsSync(place.writesFile)) return [];
  return readFileSync(place.writesFile, 'utf8').split('\n').filter(Boolean);
}

function recordsOf(bed: CrashBed, place: CrashPlace): AcmeRecord[] {
  return bed.proxy.records.filter(({ userAgent }) => userAgent === `postern/${place.name}`);
}

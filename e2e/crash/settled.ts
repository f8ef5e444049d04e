import { setTimeout as sleep } from 'node:timers/promises';
import { certificateRequests } from '../../src/api/cert-manager/certificate-request.ts';
import { viewOf } from '../harness/object-view.ts';
import type { InProcess } from '../harness/postern-in-process.ts';
import { site } from './job.ts';

const pollMs = 15;

/**
 * Waits until the Certificate of the site is Ready at this revision, and nothing of an issuance or of the revision before
 * is left over. Rejects after `timeoutMs`, and with whatever ends Postern before.
 */
export async function untilSettled(postern: InProcess, revision: number, timeoutMs = 60_000): Promise<void> {
  const view = viewOf(postern.api);
  const isSettled = async () => {
    const certificate = await view.readyCertificate(site.secretName);
    return (
      (certificate?.status?.revision ?? 0) >= revision &&
      (await view.leftovers()).length === 0 &&
      (await view.list(certificateRequests)).length === 1
    );
  };
  const deadline = performance.now() + timeoutMs;
  const over = new AbortController();
  const settled = async () => {
    while (!over.signal.aborted && !(await isSettled())) {
      if (performance.now() > deadline) throw new Error(`not settled within ${timeoutMs} ms`);
      await sleep(pollMs);
    }
  };
  await Promise.race([settled(), postern.running.finally(() => over.abort())]);
}

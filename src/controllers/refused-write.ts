import { isRefused } from '../api/reasons.ts';
import { ended } from '../issuers/sentence.ts';
import { isKubeError, type KubeError } from '../kube/errors.ts';

/**
 * Whether the API server has refused a call: it, or a webhook, policy, quota or rule of RBAC behind it. Such an answer stays the
 * same until somebody changes something.
 */
export function isRefusedWrite(error: unknown): error is KubeError {
  return isKubeError(error, 'KUBE_FORBIDDEN', 'KUBE_INVALID');
}

/**
 * Does what `act` does. What it throws is thrown on, for the queue to try again; where that is a refused write, `tell` says so
 * to the user first. That `tell` may be refused too changes nothing.
 */
export async function tellingRefusedWrites<T>(
  act: () => Promise<T>,
  tell: (message: string) => unknown,
): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!isRefusedWrite(error)) throw error;
    try {
      await tell(refusedWriteText(error));
    } catch {
      // What began it is thrown on.
    }
    throw error;
  }
}

function refusedWriteText({ message }: KubeError): string {
  return `${ended(`${isRefused}${message}`)} See the policy, the quota or the RBAC rule that says so; it is tried again by itself.`;
}

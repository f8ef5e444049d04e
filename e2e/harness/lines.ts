import { ifAvailable } from '../servers/install.ts';
import { provisionKubernetes } from '../servers/kubernetes.ts';
import type { KubernetesLine } from '../servers/versions.ts';

/**
 * The Kubernetes lines that suites run on: 1.20 always, a current release wherever its servers can be had. Where they
 * cannot, that is said on standard error. E2E_LINES=1.20,current narrows them.
 */
export async function linesToTest(): Promise<KubernetesLine[]> {
  const asked = process.env['E2E_LINES']?.split(',');
  const lines: KubernetesLine[] = [];
  for (const line of ['current', '1.20'] as const) {
    if (asked !== undefined && !asked.includes(line)) continue;
    if (line === '1.20' || (await ifAvailable(provisionKubernetes(line))) !== undefined) lines.push(line);
  }
  return lines;
}

/**
 * One line: the newest that can be had. For suites about what Postern does and not about what an API server does; with
 * E2E_LINES=1.20 they run on the oldest.
 */
export async function newestLine(): Promise<KubernetesLine[]> {
  return (await linesToTest()).slice(0, 1);
}

import { join } from 'node:path';
import { run } from '../e2e/servers/run.ts';

/** The Helm chart's folder. */
export const chartFolder = join(import.meta.dirname, 'chart', 'postern');

export interface ChartRendering {
  /** The executable. */
  readonly helm: string;
  /** Of Kubernetes, as in `1.36.0`: some objects are different ones there. */
  readonly kubeVersion: string;
  /** Default `postern`. */
  readonly release?: string;
  /** Default `postern-system`. */
  readonly namespace?: string;
  /** Over the chart's own values. */
  readonly values?: object;
}

/**
 * The objects of the chart as YAML documents, CRDs included where the values say so.
 * @throws CommandFailed with Helm's words, as on values that the chart's schema refuses.
 */
export function renderChart(rendering: ChartRendering): Promise<string> {
  const { helm, kubeVersion, release = 'postern', namespace = 'postern-system', values = {} } = rendering;
  const where = ['--namespace', namespace, '--kube-version', kubeVersion, '--values', '-'];
  return run(helm, ['template', release, chartFolder, ...where], { stdin: JSON.stringify(values) });
}

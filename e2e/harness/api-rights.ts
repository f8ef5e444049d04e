import type { Cluster } from './cluster.ts';

/** What an API server says about who may do what. */

interface ResourceRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
}

export interface ServiceAccountName {
  readonly namespace: string;
  readonly name: string;
}

/**
 * Every right that a ServiceAccount has in a namespace, cluster-wide ones included, asked with its own token:
 * `group/resource verb`, or `group/resource#name verb`; `core` is the group without a name. Sorted.
 */
export async function rightsIn(
  cluster: Cluster,
  account: ServiceAccountName,
  namespace: string,
): Promise<string[]> {
  const kubeconfig = await cluster.serviceAccountKubeconfig(account.namespace, account.name);
  const path = '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews';
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectRulesReview',
    spec: { namespace },
  };
  const answer = await cluster.kubectl(
    ['--kubeconfig', kubeconfig, 'create', '--raw', path, '-f', '-'],
    JSON.stringify(review),
  );
  const { status } = JSON.parse(answer) as {
    status: { resourceRules: ResourceRule[]; incomplete: boolean };
  };
  if (status.incomplete) throw new Error(`the API server does not know all rights: ${answer}`);
  return [...new Set(status.resourceRules.flatMap(rightsOfRule))].toSorted();
}

function rightsOfRule({ verbs, apiGroups = [], resources = [], resourceNames = [] }: ResourceRule): string[] {
  const names = resourceNames.length === 0 ? [''] : resourceNames.map(name => `#${name}`);
  return apiGroups.flatMap(group =>
    resources.flatMap(resource =>
      names.flatMap(name => verbs.map(verb => `${group === '' ? 'core' : group}/${resource}${name} ${verb}`)),
    ),
  );
}

/** For each attempt, whether the ServiceAccount may. */
export async function mayDo(
  cluster: Cluster,
  account: ServiceAccountName,
  attempts: readonly object[],
): Promise<boolean[]> {
  const reviews = attempts.map(resourceAttributes => ({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: {
      user: `system:serviceaccount:${account.namespace}:${account.name}`,
      groups: [
        'system:serviceaccounts',
        `system:serviceaccounts:${account.namespace}`,
        'system:authenticated',
      ],
      resourceAttributes,
    },
  }));
  const list = { apiVersion: 'v1', kind: 'List', items: reviews };
  const answer = await cluster.kubectl(
    ['create', '-f', '-', '-o', 'jsonpath={.status.allowed}{"\\n"}'],
    JSON.stringify(list),
  );
  const lines = answer.trim().split('\n');
  if (lines.length !== attempts.length)
    throw new Error(`${attempts.length} questions, but as answer: ${answer}`);
  return lines.map(line => line === 'true');
}

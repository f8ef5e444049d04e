import type { KubeObject } from '../../api/meta.ts';
import { keyOf, keyText } from '../../api/meta.ts';
import { type Problem, problemsText } from '../../api/problem.ts';
import type { Resource } from '../../api/resource.ts';
import { KubeError } from '../errors.ts';

/** What became of an object: with its defaults and without unknown fields, or what is wrong with it. */
export interface Validated {
  readonly object: KubeObject;
  readonly problems: readonly Problem[];
}

/** Checks an object against the schema of its resource; `before` is what it replaces, for rules on changes. */
export type Validate = (
  resource: Resource<KubeObject>,
  object: KubeObject,
  before: KubeObject | undefined,
) => Validated;

/** Takes every object as it is. */
export const acceptAll: Validate = (_resource, object) => ({ object, problems: [] });

/** KUBE_INVALID with the fields that are at fault, so that a manifest's line can be named. */
export class InvalidObjectError extends KubeError {
  readonly problems: readonly Problem[];

  constructor(resource: Resource<KubeObject>, object: KubeObject, problems: readonly Problem[]) {
    const name = JSON.stringify(keyText(keyOf(object)));
    super('KUBE_INVALID', `${resource.kind} ${name} is invalid: ${problemsText(problems)}`);
    this.problems = problems;
  }
}

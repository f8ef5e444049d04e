import type { KubeObject } from '../api/meta.ts';
import { KubeError } from './errors.ts';
import type { Selection } from './port.ts';

/** Whether an object is meant. */
export type Predicate = (object: KubeObject) => boolean;

const labelKey = String.raw`(?:[A-Za-z0-9.-]+/)?[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?`;
const labelValue = String.raw`(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)?`;
const requirement = new RegExp(
  `^\\s*(?:(?<absent>!\\s*)?(?<present>${labelKey})` +
    `|(?<key>${labelKey})\\s*(?:(?<equality>==?|!=)\\s*(?<value>${labelValue})` +
    `|\\s(?<set>in|notin)\\s*\\((?<values>[^()]*)\\)))\\s*$`,
);

function invalid(kind: string, selector: string, why: string): never {
  throw new KubeError('KUBE_INVALID', `${kind} selector ${JSON.stringify(selector)}: ${why}`);
}

/** Splits at the commas that are not in parentheses. */
function requirementsOf(selector: string): string[] {
  return selector.trim() === '' ? [] : selector.split(/,(?![^(]*\))/);
}

function labelPredicate(text: string, selector: string): Predicate {
  const groups = requirement.exec(text)?.groups;
  if (groups === undefined) invalid('label', selector, `${JSON.stringify(text)} is no requirement`);
  const labelOf = (object: KubeObject, key: string): string | undefined =>
    Object.entries(object.metadata.labels ?? {}).find(([name]) => name === key)?.[1];
  const present = groups['present'];
  if (present !== undefined) {
    const wanted = groups['absent'] === undefined;
    return object => (labelOf(object, present) !== undefined) === wanted;
  }
  const key = groups['key'] ?? '';
  const { equality, set } = groups;
  const values =
    set === undefined
      ? [groups['value'] ?? '']
      : (groups['values'] ?? '').split(',').map(value => value.trim());
  if (!values.every(value => new RegExp(`^${labelValue}$`).test(value))) {
    invalid('label', selector, `${JSON.stringify(text)} has a bad value`);
  }
  // As in Kubernetes, an absent label satisfies `!=` and `notin`.
  const negative = equality === '!=' || set === 'notin';
  return object => {
    const value = labelOf(object, key);
    return (value !== undefined && values.includes(value)) !== negative;
  };
}

/** Fields that a selector may name. Kubernetes has more for some kinds; Postern needs these. */
const selectableFields: Readonly<Record<string, (object: KubeObject) => string>> = {
  'metadata.name': object => object.metadata.name ?? '',
  'metadata.namespace': object => object.metadata.namespace ?? '',
  type: object => ('type' in object && typeof object.type === 'string' ? object.type : ''),
};

interface FieldRequirement {
  readonly field: string;
  readonly value: string;
  readonly equal: boolean;
}

function fieldRequirementsOf(selector: string): FieldRequirement[] {
  return requirementsOf(selector).map(text => {
    const match = /^\s*([A-Za-z0-9.]+)\s*(==?|!=)\s*(.*?)\s*$/.exec(text);
    const field = match?.[1] ?? '';
    if (match === null) invalid('field', selector, `${JSON.stringify(text)} is no requirement`);
    if (!Object.hasOwn(selectableFields, field)) invalid('field', selector, `${field} cannot be selected by`);
    return { field, value: match[3] ?? '', equal: match[2] !== '!=' };
  });
}

/** A selection, taken apart. */
export interface ParsedSelection {
  /** Where one namespace, or one name, is all that is meant: for the index. */
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  /** The whole selection. */
  readonly matches: Predicate;
  /** Whether an object can come into or leave the selection by a change of its content. */
  readonly dependsOnContent: boolean;
}

/** Reads a selection; throws INVALID where a selector does not parse. */
export function parseSelection(selection: Selection): ParsedSelection {
  const labels = requirementsOf(selection.labelSelector ?? '').map(text =>
    labelPredicate(text, selection.labelSelector ?? ''),
  );
  const fields = fieldRequirementsOf(selection.fieldSelector ?? '');
  const only = (field: string): string | undefined =>
    fields.find(requirement => requirement.field === field && requirement.equal)?.value;
  const predicates = [
    ...labels,
    ...fields.map(({ field, value, equal }): Predicate => {
      const read = selectableFields[field];
      return object => (read?.(object) === value) === equal;
    }),
  ];
  const { namespace } = selection;
  if (namespace !== undefined) predicates.push(object => (object.metadata.namespace ?? '') === namespace);
  return {
    namespace: namespace ?? only('metadata.namespace'),
    name: only('metadata.name'),
    matches: object => predicates.every(predicate => predicate(object)),
    dependsOnContent: labels.length > 0 || fields.some(({ field }) => field === 'type'),
  };
}

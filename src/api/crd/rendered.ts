import { stringify } from 'yaml';
import { customKinds } from './custom-kinds.ts';
import { customResourceDefinitionOf } from './definition.ts';

/** Below crds/: the same CRDs without CEL, for the API servers that do not know it. */
export const withoutCelFolder = 'kubernetes-1.20';

/** The files below crds/, by their names, each with its text: every CRD with CEL rules and without. */
export function renderedDefinitions(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const kind of customKinds) {
    const name = `${kind.resource.group}_${kind.resource.plural}.yaml`;
    for (const cel of [true, false]) {
      const definition = customResourceDefinitionOf(kind, { cel });
      files.set(cel ? name : `${withoutCelFolder}/${name}`, stringify(definition, { lineWidth: 0 }));
    }
  }
  return files;
}

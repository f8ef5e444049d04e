import { stringify } from 'yaml';
import { type CustomKind, customKinds } from './custom-kinds.ts';
import { customResourceDefinitionOf } from './definition.ts';
import { emissaryKinds } from './emissary-kinds.ts';

/** Below crds/: the same CRDs without CEL, for the API servers that do not know it. */
export const withoutCelFolder = 'kubernetes-1.20';
/** Below crds/: those of Emissary's kinds, which not everyone wants. */
export const emissaryFolder = 'emissary';

/** The files below crds/, by their names, each with its text: every CRD with CEL rules and without. */
export function renderedDefinitions(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const render = (kinds: readonly CustomKind[], folder: string): void => {
    for (const kind of kinds) {
      const name = `${kind.resource.group}_${kind.resource.plural}.yaml`;
      for (const cel of [true, false]) {
        const definition = customResourceDefinitionOf(kind, { cel });
        const below = cel ? folder : `${folder}${withoutCelFolder}/`;
        files.set(`${below}${name}`, stringify(definition, { lineWidth: 0 }));
      }
    }
  };
  render(customKinds, '');
  render(emissaryKinds, `${emissaryFolder}/`);
  return files;
}

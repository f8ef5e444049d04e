import { join } from 'node:path';
import type { KubeObject, ObjectKey } from '../../api/meta.ts';
import { keyText } from '../../api/meta.ts';
import type { Resource } from '../../api/resource.ts';
import { resourceId } from '../../api/resource.ts';
import { declarationOf } from './declared-object.ts';
import { type ManifestDocument, type Place, parseManifests } from './manifest-document.ts';
import type { FolderContent } from './manifest-folder.ts';
import type { ManifestProblem } from './problem.ts';

/** An object as one document declares it. */
export interface DeclaredObject {
  /** The same for the same object: resource, namespace and name. */
  readonly id: string;
  /** The file, below the folder. */
  readonly file: string;
  readonly resource: Resource<KubeObject>;
  readonly key: ObjectKey;
  readonly object: KubeObject;
  readonly place: Place;
  placeOf(field: string): Place;
}

/** Everything that a folder declares, once each. */
export interface DeclaredSet {
  readonly objects: ReadonlyMap<string, DeclaredObject>;
  /** Later declarations of the same, in the order of their files. */
  readonly repeated: readonly DeclaredObject[];
  readonly problems: readonly ManifestProblem[];
  /** Whether the folder may still declare an object that is not in `objects`, so that it must not be deleted. */
  mayDeclare(file: string, key: ObjectKey): boolean;
  /** Kinds that were left out, by file. */
  readonly unneeded: ReadonlyMap<string, readonly string[]>;
}

/** The id of an object among all that can be declared. */
export function declaredId(resource: Resource<KubeObject>, key: ObjectKey): string {
  return `${resourceId(resource)} ${key.namespace} ${key.name}`;
}

/** Reads what the files declare. `dir` is how the user calls the folder; problems name files below it. */
export function declaredSet(dir: string, content: FolderContent): DeclaredSet {
  const objects = new Map<string, DeclaredObject>();
  const repeated: DeclaredObject[] = [];
  const problems: ManifestProblem[] = [];
  const unneeded = new Map<string, string[]>();
  // Files whose content is not known in full, and names in files that stand for something not known.
  const uncertainFiles = new Set<string>();
  const uncertainNames = new Set<string>();

  const say = (file: string, { line, column }: Place, message: string): void => {
    problems.push({ file: join(dir, file), line, column, message });
  };

  const take = (file: string, document: ManifestDocument): void => {
    const declaration = declarationOf(document.content);
    switch (declaration.kind) {
      case 'unneeded':
        unneeded.set(file, [...(unneeded.get(file) ?? []), declaration.what]);
        break;
      case 'unidentified':
        uncertainFiles.add(file);
        say(file, document.placeOf(declaration.problem.field), declaration.problem.message);
        break;
      case 'unusable':
        uncertainNames.add(`${file} ${keyText(declaration.key)}`).add(`${file} ${declaration.key.name}`);
        for (const { field, message } of declaration.problems) say(file, document.placeOf(field), message);
        break;
      default: {
        const { resource, key, object } = declaration;
        const { place } = document;
        const id = declaredId(resource, key);
        const placeOf = (field: string): Place => document.placeOf(field);
        const declared = { id, file, resource, key, object, place, placeOf };
        if (objects.has(id)) repeated.push(declared);
        else objects.set(id, declared);
      }
    }
  };

  for (const [path, reason] of content.unreadable) {
    problems.push({ file: join(dir, path), line: 1, message: `cannot be read: ${reason}` });
  }
  for (const [file, text] of content.files) {
    const parsed = parseManifests(text);
    if ('error' in parsed) {
      uncertainFiles.add(file);
      const { message } = parsed.error;
      say(file, parsed.error, `does not parse: ${message}. What it declared before stays as it was`);
    } else {
      for (const document of parsed.documents) take(file, document);
    }
  }
  return {
    objects,
    repeated,
    problems,
    unneeded,
    mayDeclare: (file, key) =>
      uncertainFiles.has(file) ||
      uncertainNames.has(`${file} ${keyText(key)}`) ||
      [...content.unreadable.keys()].some(
        path => path === '' || file === path || file.startsWith(`${path}/`),
      ),
  };
}

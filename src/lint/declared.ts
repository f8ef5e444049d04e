import { authServices, filterPolicies } from '../api/getambassador/auth-service.ts';
import type { LintFile, LintFinding, LintSeverity } from '../api/lint-report.ts';
import { type KubeObject, keyText, type ObjectKey } from '../api/meta.ts';
import type { Resource } from '../api/resource.ts';
import { apiVersionOf, resourceId } from '../api/resource.ts';
import { validateObject } from '../api/schemas.ts';
import { declarationOf } from '../kube/standalone/declared-object.ts';
import { type ManifestDocument, parseManifests } from '../kube/standalone/manifest-document.ts';
import { foreignKind } from './foreign-kinds.ts';
import { ignoredFields } from './ignored-fields.ts';

/** An object of a file, in the version that Postern stores. */
export interface Declared {
  readonly file: string;
  readonly document: ManifestDocument;
  readonly resource: Resource<KubeObject>;
  readonly key: ObjectKey;
  readonly object: KubeObject;
}

export interface DeclaredFiles {
  readonly objects: readonly Declared[];
  readonly findings: readonly LintFinding[];
}

/** What the files declare, once each, and what is wrong with them as objects of their kinds. */
export function declaredIn(files: readonly LintFile[]): DeclaredFiles {
  const objects = new Map<string, Declared>();
  const findings: LintFinding[] = [];
  for (const { name: file, text } of files) {
    const parsed = parseManifests(text);
    if ('error' in parsed) {
      const { line, column, message } = parsed.error;
      const hint = text.includes('{{') ? '. A template is to be rendered first: helm template' : '';
      findings.push({
        severity: 'invalid',
        object: '',
        file,
        line,
        column,
        reason: 'DoesNotParse',
        message: `does not parse: ${message}${hint}`,
      });
      continue;
    }
    for (const document of parsed.documents) {
      const declared = take(file, document, findings);
      if (declared === undefined) continue;
      const id = `${resourceId(declared.resource)} ${keyText(declared.key)}`;
      const first = objects.get(id);
      if (first === undefined) objects.set(id, declared);
      else
        findings.push(
          findingAt(
            declared,
            'invalid',
            '',
            'Repeated',
            `is there twice: the one of ${first.file}:${first.document.place.line} counts`,
          ),
        );
    }
  }
  return { objects: [...objects.values()], findings };
}

function take(file: string, document: ManifestDocument, findings: LintFinding[]): Declared | undefined {
  const declaration = declarationOf(document.content);
  const say = (
    severity: LintSeverity,
    object: string,
    field: string,
    reason: string,
    message: string,
  ): void => {
    const { line, column } = document.placeOf(field);
    findings.push({ severity, object, file, line, column, reason, message });
  };
  if (declaration.kind === 'unneeded') return undefined;
  if (declaration.kind === 'unidentified') {
    say('invalid', '', declaration.problem.field, 'Invalid', declaration.problem.message);
    return undefined;
  }
  if (declaration.kind === 'unusable') {
    const { apiVersion, kind } = document.content as { apiVersion: string; kind: string };
    const object = `${kind} ${keyText(declaration.key)}`;
    const unknown = declaration.problems.every(({ field }) => field === 'kind' || field === 'apiVersion');
    if (!unknown) {
      for (const { field, message } of declaration.problems)
        say('invalid', object, field, 'Invalid', message);
      return undefined;
    }
    const { severity, message } = foreignKind(apiVersion, kind);
    say(severity, object, '', 'NotServed', message);
    return undefined;
  }
  const declared: Declared = { file, document, ...declaration };
  if (declared.resource === authServices || declared.resource === filterPolicies) {
    const { severity, message } = foreignKind(apiVersionOf(declared.resource), declared.resource.kind);
    findings.push(findingAt(declared, severity, '', 'NotServed', message));
    return declared;
  }
  const { object, problems } = validateObject(declared.resource, declared.object);
  for (const { field, message } of problems)
    findings.push(findingAt(declared, 'invalid', field, 'Invalid', message));
  if (problems.length === 0) {
    for (const field of ignoredFields(declared.object, object))
      findings.push(
        findingAt(
          declared,
          'differs',
          field,
          'UnknownField',
          `${field} is not known and has no effect: correct its name, or remove it`,
        ),
      );
  }
  return declared;
}

/** A finding about a field of an object; `''` is the object itself. */
export function findingAt(
  { file, document, resource, key }: Declared,
  severity: LintSeverity,
  field: string,
  reason: string,
  message: string,
): LintFinding {
  const { line, column } = field === '' ? document.place : document.placeOf(field);
  return { severity, object: `${resource.kind} ${keyText(key)}`, file, line, column, reason, message };
}

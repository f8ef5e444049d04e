import type { Ingress } from '../api/kubernetes/ingress.ts';
import { ingressClassOf } from '../api/kubernetes/ingress-class.ts';
import { classRule, defaultClassSettings } from '../api/kubernetes/ingress-selection.ts';
import type { LintFinding, LintOptions, LintSeverity } from '../api/lint-report.ts';
import type { KubeObject } from '../api/meta.ts';
import { compileTable } from '../edge/compile/compile.ts';
import { nginxPrefix } from '../edge/compile/nginx/annotation-row.ts';
import { annotationRows } from '../edge/compile/nginx/annotation-rows.ts';
import { defaultCompileSettings } from '../edge/compile/settings.ts';
import type { Snapshot } from '../edge/compile/snapshot.ts';
import { type Finding, findingReasons } from '../edge/finding.ts';
import { type Declared, findingAt } from './declared.ts';

/** Reasons of what is not there: in files it is somewhere else. */
const elsewhere: ReadonlySet<string> = new Set([
  findingReasons.secretNotFound,
  findingReasons.serviceNotFound,
]);

/** Reasons that keep the object, or a part of it, from being served. */
const refusing: ReadonlySet<string> = new Set([
  findingReasons.ingressInvalid,
  findingReasons.hostInvalid,
  findingReasons.pathInvalid,
  findingReasons.backendUnsupported,
  findingReasons.servicePortNotFound,
  findingReasons.endpointRefused,
  findingReasons.secretInvalid,
  findingReasons.upstreamTlsInvalid,
  findingReasons.mappingInvalid,
  findingReasons.mappingConflict,
  findingReasons.tlsContextInvalid,
]);

/** What the edge says of the objects when it compiles them as if their classes were its own. */
export function edgeFindings(
  objects: readonly Declared[],
  snapshot: Snapshot,
  options: LintOptions,
): LintFinding[] {
  const byObject = new Map<KubeObject, Declared>(objects.map(declared => [declared.object, declared]));
  const classes = new Set(snapshot.ingresses.flatMap(ingress => ingressClassOf(ingress).name ?? []));
  const settings = {
    ...defaultCompileSettings,
    ingressClasses: [...classes, ...options.ingressClasses],
    watchIngressWithoutClass: true,
  };
  const { findings } = compileTable(snapshot, settings, options.nowMs);
  const said = findings.flatMap(finding => {
    const declared = byObject.get(finding.object);
    if (declared === undefined || elsewhere.has(finding.reason)) return [];
    return [
      findingAt(declared, severityOf(finding), fieldOf(finding.message), finding.reason, finding.message),
    ];
  });
  return [
    ...said,
    ...snapshot.ingresses.flatMap(ingress => ingressNotes(ingress, byObject.get(ingress), snapshot, options)),
  ];
}

/** The sentences of what is refused end with what is answered until it is mended. */
function severityOf({ reason, message }: Finding): LintSeverity {
  return refusing.has(reason) || /answers? 503$/.test(message) ? 'refused' : 'differs';
}

/** Where the sentence begins with a field or an annotation, that. */
function fieldOf(message: string): string {
  const annotation = /^(?:the annotation )?((?:[a-z0-9.-]+\/)[A-Za-z0-9._-]+) /.exec(message)?.[1];
  if (annotation !== undefined && message.startsWith(nginxPrefix)) return annotationField(annotation);
  return /^spec(?:\.\w+|\[\d+\])+/.exec(message)?.[0] ?? '';
}

function annotationField(key: string): string {
  return `metadata.annotations[${JSON.stringify(key)}]`;
}

function ingressNotes(
  ingress: Ingress,
  declared: Declared | undefined,
  { ingressClasses }: Snapshot,
  options: LintOptions,
): LintFinding[] {
  if (declared === undefined) return [];
  const notes: LintFinding[] = [];
  for (const key of Object.keys(ingress.metadata.annotations ?? {})) {
    const row = key.startsWith(nginxPrefix) ? annotationRows.get(key.slice(nginxPrefix.length)) : undefined;
    if (row?.support !== 'differs') continue;
    const message = `${key}: ${row.help.replaceAll('`', '"').replaceAll(/\[([^\]]+)\]\([^)]*\)/g, '$1')}`;
    notes.push(findingAt(declared, 'note', annotationField(key), 'Differs', message));
  }
  const { name } = ingressClassOf(ingress);
  const rule = classRule(ingressClasses, { ...defaultClassSettings, ingressClasses: options.ingressClasses });
  if (name === undefined) {
    const message =
      "names no class: it is served where the default IngressClass of the cluster is Postern's; set spec.ingressClassName";
    notes.push(findingAt(declared, 'note', 'spec', 'NoClass', message));
  } else if (!rule.isOurs(name)) {
    const message = `its class is ${JSON.stringify(name)}, which Postern serves with --ingress-class ${name}; for one Ingress set spec.ingressClassName to "postern"`;
    notes.push(findingAt(declared, 'note', classField(ingress), 'ClassNotServed', message));
  }
  return notes;
}

function classField(ingress: Ingress): string {
  return ingressClassOf(ingress).source === 'annotation'
    ? annotationField('kubernetes.io/ingress.class')
    : 'spec.ingressClassName';
}

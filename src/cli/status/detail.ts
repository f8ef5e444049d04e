import type { Certificate } from '../../api/cert-manager/certificate.ts';
import { type Condition, findCondition, hasCondition } from '../../api/condition.ts';
import type { Event } from '../../api/kubernetes/event.ts';
import type { Ingress } from '../../api/kubernetes/ingress.ts';
import type { KubeObject } from '../../api/meta.ts';
import { conditionTypes } from '../../api/reasons.ts';
import { type Chain, hostsOf } from './chain.ts';
import { explain } from './explain.ts';
import { type ReportItem, reportItem } from './report.ts';
import { clause } from './sentence.ts';

/** One object of the chain of a certificate. */
export interface ChainObject {
  readonly kind: string;
  readonly name: string;
  readonly state: string;
  /** What it says about itself, or an empty text. */
  readonly message: string;
}

/** One certificate in detail; this is what `-o json` prints, and the text is made from. */
export interface CertificateDetail extends Omit<ReportItem, 'ingress'> {
  readonly ingresses: readonly string[];
  readonly created: string | null;
  readonly conditions: readonly Condition[];
  readonly notBefore: string | null;
  readonly notAfter: string | null;
  readonly renewalTime: string | null;
  readonly revision: number | null;
  readonly lastFailureTime: string | null;
  readonly failedIssuanceAttempts: number;
  /** From the Ingresses down to the Secret. */
  readonly objects: readonly ChainObject[];
  /** The latest of those objects, the oldest first. */
  readonly events: readonly {
    readonly time: string;
    readonly type: string;
    readonly reason: string;
    readonly object: string;
    readonly message: string;
    readonly count: number;
  }[];
  /** Command lines to go on with, and what each is for. */
  readonly next: readonly { readonly command: string; readonly why: string }[];
}

const eventsAtMost = 20;

const readyMessage = (conditions: readonly Condition[] | undefined): string => {
  const ready = findCondition(conditions, conditionTypes.ready);
  return ready?.message === undefined || ready.message === '' ? '' : clause(ready.message);
};

function issuerObject({ issuer }: Chain): ChainObject[] {
  if (issuer === undefined) return [];
  const { ref, found } = issuer;
  const base = { kind: ref.kind, name: ref.name };
  if (ref.group !== 'cert-manager.io')
    return [{ ...base, kind: `${ref.kind}.${ref.group}`, state: 'external', message: '' }];
  if (found === undefined) return [{ ...base, state: 'missing', message: '' }];
  const isReady = hasCondition(found.status?.conditions, conditionTypes.ready);
  return [
    { ...base, state: isReady ? 'ready' : 'not ready', message: readyMessage(found.status?.conditions) },
  ];
}

/** The chain from the top down. */
function objectsOf(chain: Chain, ingresses: readonly Ingress[], item: ReportItem): ChainObject[] {
  const { certificate, request, order, challenges } = chain;
  return [
    ...ingresses.map(({ metadata }) => ({
      kind: 'Ingress',
      name: metadata.name ?? '',
      state: '',
      message: '',
    })),
    {
      kind: 'Certificate',
      name: certificate?.metadata.name ?? '',
      state: item.certificate?.ready === true ? 'ready' : 'not ready',
      message: readyMessage(certificate?.status?.conditions),
    },
    ...issuerObject(chain),
    ...(item.request === null
      ? []
      : [
          {
            kind: 'CertificateRequest',
            ...item.request,
            message: readyMessage(request?.status?.conditions),
          },
        ]),
    ...(item.order === null ? [] : [{ kind: 'Order', ...item.order, message: order?.status?.reason ?? '' }]),
    ...challenges.map(({ metadata, spec, status }) => ({
      kind: 'Challenge',
      name: metadata.name ?? '',
      state: status?.state ?? 'new',
      message: [`${spec.type} for ${spec.dnsName}`, status?.reason ?? '']
        .filter(text => text !== '')
        .join(': '),
    })),
    ...(item.secret === null
      ? []
      : [{ kind: 'Secret', name: item.secret.name, state: item.secret.state, message: '' }]),
  ];
}

const timeOf = (event: Event): string =>
  event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp ?? '';

/** The events about these objects; about earlier ones of the same names too, as nothing tells their UID any more. */
function eventsAbout(
  objects: readonly (KubeObject | undefined)[],
  events: readonly Event[],
): CertificateDetail['events'] {
  const wanted = new Set(objects.map(object => `${object?.kind} ${object?.metadata.name}`));
  return events
    .filter(({ involvedObject }) => wanted.has(`${involvedObject.kind} ${involvedObject.name}`))
    .toSorted((a, b) => timeOf(a).localeCompare(timeOf(b)))
    .slice(-eventsAtMost)
    .map(event => ({
      time: timeOf(event),
      type: event.type ?? 'Normal',
      reason: event.reason ?? '',
      object: `${event.involvedObject.kind} ${event.involvedObject.name}`,
      message: clause(event.message),
      count: event.series?.count ?? event.count ?? 1,
    }));
}

function nextSteps(chain: Chain, item: ReportItem, flags: string): CertificateDetail['next'] {
  const { certificate, request, namespace } = chain;
  const where = ` -n ${namespace}${flags}`;
  const steps: { command: string; why: string }[] = [];
  const conditions = request?.status?.conditions;
  const isOpen =
    request !== undefined &&
    ![conditionTypes.approved, conditionTypes.denied, conditionTypes.ready].some(type =>
      hasCondition(conditions, type),
    );
  if (isOpen && item.state === 'not-ready') {
    steps.push({ command: `postern approve ${request.metadata.name}${where}`, why: 'let it be signed' });
  }
  if (item.secret !== null && item.secret.state !== 'missing') {
    steps.push({ command: `postern inspect secret ${item.secret.name}${where}`, why: 'see what it holds' });
  }
  const hasFailed = certificate?.status?.lastFailureTime !== undefined;
  const isUnderWay = hasCondition(certificate?.status?.conditions, conditionTypes.issuing);
  if (!isUnderWay && (item.state === 'ready' || hasFailed)) {
    const why = item.state === 'ready' ? 'renew it now' : 'try again now';
    steps.push({ command: `postern renew ${certificate?.metadata.name}${where}`, why });
  }
  return steps;
}

/**
 * One certificate in detail, at `nowMs`. `chain` is its own, without an Ingress; `ingresses` are those that use
 * it; `events` all of the namespace; `flags` lead other commands to the same objects. Pure.
 */
export function certificateDetail(
  chain: Chain & { readonly certificate: Certificate },
  ingresses: readonly Ingress[],
  events: readonly Event[],
  options: { readonly nowMs: number; readonly flags: string },
): CertificateDetail {
  const { certificate, request, order, challenges, issuer } = chain;
  const { ingress: _none, ...item } = reportItem(chain, options.nowMs);
  const full: ReportItem = { ...item, ingress: null };
  const { status = {}, metadata } = certificate;
  const about = [certificate, request, order, ...challenges, ...ingresses, issuer?.found];
  return {
    ...item,
    hosts: hostsOf(chain),
    state: explain(chain, options.nowMs).state,
    ingresses: ingresses.map(one => one.metadata.name ?? ''),
    created: metadata.creationTimestamp ?? null,
    conditions: status.conditions ?? [],
    notBefore: status.notBefore ?? null,
    notAfter: status.notAfter ?? null,
    renewalTime: status.renewalTime ?? null,
    revision: status.revision ?? null,
    lastFailureTime: status.lastFailureTime ?? null,
    failedIssuanceAttempts: status.failedIssuanceAttempts ?? 0,
    objects: objectsOf(chain, ingresses, full),
    events: eventsAbout(about, events),
    next: nextSteps(chain, full, options.flags),
  };
}

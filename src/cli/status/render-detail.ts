import { fieldsText } from '../fields.ts';
import type { CertificateDetail } from './detail.ts';
import { clause, moment } from './sentence.ts';
import { type Cell, painted, printable, tableText } from './table.ts';

const indented = (text: string): string => text.replaceAll(/^(?=.)/gm, '  ');

/** A time of an object, which may be any text there. */
function time(text: string | null | undefined): string {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? '-' : moment(ms);
}

function period({ notBefore, notAfter }: CertificateDetail): string | null {
  return notAfter === null ? null : `${time(notBefore)} to ${time(notAfter)}`;
}

function failures({ failedIssuanceAttempts: count, lastFailureTime }: CertificateDetail): string | null {
  return lastFailureTime === null ? null : `${count} in a row, the last at ${time(lastFailureTime)}`;
}

const colours: Readonly<Record<string, Cell['colour']>> = {
  ready: 'green',
  valid: 'green',
  usable: 'green',
  issued: 'green',
  'not ready': 'red',
  missing: 'red',
  damaged: 'red',
  expired: 'red',
  failed: 'red',
  denied: 'red',
  invalid: 'red',
  errored: 'red',
};

function section(heading: string, columns: readonly string[], rows: Cell[][], isColoured: boolean): string {
  if (rows.length === 0) return '';
  return `${heading}\n${indented(tableText(columns, rows, isColoured))}`;
}

/** The detail to read. */
export function detailText(detail: CertificateDetail, isColoured: boolean): string {
  const isReady = detail.state === 'ready';
  const title = `Certificate ${detail.namespace}/${detail.certificate?.name ?? ''}: ${isReady ? 'ready' : 'not ready'}`;
  const cause = detail.cause === null ? '' : `  ${printable(detail.cause)}\n`;
  const facts = fieldsText('', [
    ['Names', detail.hosts.length === 0 ? null : detail.hosts.join(', ')],
    ['Issuer', detail.certificate?.issuer ?? null],
    ['Secret', detail.secret?.name ?? null],
    ['Created', detail.created === null ? null : time(detail.created)],
    ['Valid', period(detail)],
    ['Renewal', detail.renewalTime === null ? null : time(detail.renewalTime)],
    ['Revision', detail.revision === null ? null : String(detail.revision)],
    ['Failures', failures(detail)],
  ]).slice(1);
  const conditions = detail.conditions.map(({ type, status, reason, lastTransitionTime, message }) => [
    { text: type },
    { text: status },
    { text: reason ?? '' },
    { text: time(lastTransitionTime) },
    { text: message === undefined || message === '' ? '-' : clause(message) },
  ]);
  const objects = detail.objects.map(({ kind, name, state, message }) => [
    { text: kind },
    { text: name },
    { text: state === '' ? '-' : state, colour: colours[state] },
    { text: message === '' ? '-' : clause(message) },
  ]);
  const events = detail.events.map(({ time: at, type, reason, object, message, count }) => [
    { text: time(at) },
    { text: type, colour: type === 'Warning' ? ('yellow' as const) : undefined },
    { text: reason },
    { text: object },
    { text: count > 1 ? `${message} (${count} times)` : message },
  ]);
  const width = Math.max(0, ...detail.next.map(({ command }) => command.length));
  const next = detail.next.map(({ command, why }) => `  ${command.padEnd(width)}  # ${why}\n`).join('');
  return [
    `${painted(printable(title), isReady ? 'green' : 'red', isColoured)}\n${cause}`,
    facts,
    section('Conditions', ['TYPE', 'STATUS', 'REASON', 'SINCE', 'MESSAGE'], conditions, isColoured),
    section('Objects', ['KIND', 'NAME', 'STATE', 'MESSAGE'], objects, isColoured),
    section('Events', ['LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE'], events, isColoured),
    next === '' ? '' : `Next\n${next}`,
  ]
    .filter(part => part !== '')
    .join('\n');
}

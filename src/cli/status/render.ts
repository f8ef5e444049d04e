import type { EdgeRemark } from '../../api/lint-report.ts';
import type { ReportItem } from './report.ts';
import { type Cell, painted, printable, tableText } from './table.ts';

const dayMs = 86_400_000;
const heading = [
  'NAMESPACE',
  'INGRESS',
  'HOSTS',
  'STATE',
  'CERTIFICATE',
  'REQUEST',
  'ORDER',
  'CHALLENGES',
  'SECRET',
  'EXPIRES',
];
const none = '-';

const states: Readonly<Record<ReportItem['state'], Cell>> = {
  ready: { text: 'ready', colour: 'green' },
  plain: { text: 'no TLS' },
  'not-ready': { text: 'not ready', colour: 'red' },
};

function hostsText([first, ...others]: readonly string[]): string {
  if (first === undefined) return none;
  return others.length === 0 ? first : `${first} +${others.length}`;
}

function challengesText({ challenges }: ReportItem): string {
  if (challenges.length === 0) return none;
  const valid = challenges.filter(({ state }) => state === 'valid').length;
  return `${valid}/${challenges.length} valid`;
}

function expiry({ secret }: ReportItem, nowMs: number): Cell {
  if (secret === null || secret.notAfter === null) return { text: none };
  const leftMs = Date.parse(secret.notAfter) - nowMs;
  const date = secret.notAfter.slice(0, 10);
  if (leftMs <= 0) return { text: `${date} (expired)`, colour: 'red' };
  const days = Math.floor(leftMs / dayMs);
  const left = days > 0 ? `${days}d` : `${Math.floor(leftMs / 3_600_000)}h`;
  if (secret.temporary) return { text: `${date} (temporary)`, colour: 'yellow' };
  return { text: `${date} (${left})`, colour: days < 7 ? 'yellow' : undefined };
}

function row(item: ReportItem, nowMs: number): Cell[] {
  const { certificate, request, order, secret } = item;
  const secretText =
    secret === null ? none : secret.name + (secret.state === 'usable' ? '' : ` (${secret.state})`);
  return [
    { text: item.namespace },
    { text: item.ingress ?? none },
    { text: hostsText(item.hosts) },
    states[item.state],
    { text: certificate?.name ?? none },
    { text: request?.state ?? none },
    { text: order?.state ?? none },
    { text: challengesText(item) },
    { text: secretText },
    expiry(item, nowMs),
  ];
}

/** What an item is about, for a sentence about it. */
function title({ namespace, ingress, certificate, hosts }: ReportItem): string {
  const object =
    ingress === null ? `Certificate ${namespace}/${certificate?.name}` : `Ingress ${namespace}/${ingress}`;
  return hosts.length === 0 ? object : `${object} (${hostsText(hosts)})`;
}

/** The table, and below it why what is not ready is not, and what the edge says. */
export function reportText(
  items: readonly ReportItem[],
  remarks: readonly EdgeRemark[],
  nowMs: number,
  isColoured: boolean,
): string {
  const edge = remarksText(remarks, isColoured);
  if (items.length === 0) return `There are no Ingresses and no Certificates here.\n${edge}`;
  const table = tableText(
    heading,
    items.map(item => row(item, nowMs)),
    isColoured,
  );
  const notReady = items.filter(({ state }) => state === 'not-ready');
  if (notReady.length === 0) return `${table}${edge}`;
  const causes = notReady.map(
    item =>
      `${painted(`${title(item)}:`, 'red', isColoured)}\n  ${(item.cause ?? '').replaceAll(/\p{Cc}/gu, ' ')}\n`,
  );
  return `${table}\nNot ready:\n${causes.join('')}${edge}`;
}

/** By object, each with its sentences. */
function remarksText(remarks: readonly EdgeRemark[], isColoured: boolean): string {
  if (remarks.length === 0) return '';
  const groups = Map.groupBy(remarks, ({ kind, namespace, name }) => `${kind} ${namespace}/${name}`);
  const blocks = [...groups].map(([object, own]) => {
    const lines = own.map(({ message }) => `  ${printable(message)}\n`);
    return `${painted(printable(`${object}:`), 'yellow', isColoured)}\n${lines.join('')}`;
  });
  return `\nAt the edge:\n${blocks.join('')}`;
}

/** The same for programs. */
export function reportJson(items: readonly ReportItem[], remarks: readonly EdgeRemark[]): string {
  const isReady = items.every(({ state }) => state !== 'not-ready');
  return `${JSON.stringify({ ready: isReady, items, edge: remarks }, undefined, 2)}\n`;
}

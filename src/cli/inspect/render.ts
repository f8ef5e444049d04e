import { fieldsText } from '../fields.ts';
import { moment } from '../status/sentence.ts';
import { painted, printable } from '../status/table.ts';
import type { CertificateReport, SecretReport } from './report.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;

function time(rfc3339: string): string {
  return moment(Date.parse(rfc3339));
}

function left({ notBefore, notAfter, validity }: CertificateReport, nowMs: number): string {
  if (validity === 'expired') return 'expired';
  if (validity === 'not-yet-valid') return `not yet valid: from ${time(notBefore)}`;
  const ms = Date.parse(notAfter) - nowMs;
  return ms >= dayMs ? `${Math.floor(ms / dayMs)} days left` : `${Math.floor(ms / hourMs)} hours left`;
}

const privateKeys: Readonly<Record<SecretReport['privateKey']['state'], string>> = {
  missing: 'missing',
  unreadable: 'cannot be read',
  fits: 'fits the certificate',
  'does-not-fit': 'is not that of the certificate',
  readable: 'readable',
};

function keyText({ state, kind }: SecretReport['privateKey']): string {
  return kind === null ? privateKeys[state] : `${kind}, ${privateKeys[state]}`;
}

function trustText({ caCrt, publicRoot }: SecretReport['trust'], leaf: CertificateReport): string[] {
  return [
    ...(leaf.selfSigned ? ['self-signed'] : []),
    ...(caCrt === null ? [] : [caCrt ? 'verified by ca.crt' : 'NOT verified by ca.crt']),
    publicRoot === null ? 'no public authority' : `public authority ${publicRoot}`,
  ];
}

function leafText(report: SecretReport, leaf: CertificateReport, nowMs: number): string {
  const { names } = report;
  return fieldsText('Certificate', [
    ['Subject', leaf.subject === '' ? '(empty)' : leaf.subject],
    ['Issuer', leaf.issuer],
    ['Serial number', leaf.serialNumber],
    ['Valid', `${time(leaf.notBefore)} to ${time(leaf.notAfter)} (${left(leaf, nowMs)})`],
    ['DNS names', names?.dnsNames ?? null],
    ['IP addresses', names?.ipAddresses ?? null],
    ['URIs', names?.uris ?? null],
    ['E-mail', names?.emailAddresses ?? null],
    ['Other names', names?.otherNames ?? null],
    ['Usages', report.usages.length === 0 ? null : report.usages.join(', ')],
    ['Authority', leaf.isCA ? 'yes: it may sign others' : null],
    ['Public key', leaf.key],
    ['SHA-256', leaf.fingerprint],
    ['Trust', trustText(report.trust, leaf)],
  ]);
}

function chainText({ chain }: SecretReport, nowMs: number): string {
  return fieldsText(
    'Chain',
    chain.map((one, index) => [
      String(index + 1),
      [
        `${one.subject === '' ? '(empty)' : one.subject} (${one.key}${one.isCA ? ', authority' : ''}), ${left(one, nowMs)}`,
        one.selfSigned ? 'self-signed' : `issued by ${one.issuer}`,
      ],
    ]),
  );
}

/** Many are there to say that there is nothing of their kind: those are left out. */
function annotationLines(annotations: Readonly<Record<string, string>>): string[] {
  return Object.entries(annotations).flatMap(([key, value]) => (value === '' ? [] : `${key}: ${value}`));
}

function keeperText({ certificate }: SecretReport): string {
  if (certificate === null) return '';
  const { name, ready, issuer, revision, renewalTime, annotations } = certificate;
  return fieldsText('Kept by', [
    ['Certificate', `${name} (${ready ? 'ready' : 'not ready'})`],
    ['Issuer', issuer],
    ['Revision', revision === null ? null : String(revision)],
    ['Renewal', renewalTime === null ? null : time(renewalTime)],
    ['Annotations', annotationLines(annotations)],
  ]);
}

/** The report to read. It holds nothing of the private key but its kind. */
export function secretText(report: SecretReport, nowMs: number, isColoured: boolean): string {
  const [leaf] = report.chain;
  const problems = report.problems.map(({ severity, message }) => {
    const label = painted(`${severity}:`, severity === 'error' ? 'red' : 'yellow', isColoured);
    return `  ${label} ${printable(message)}`;
  });
  const parts = [
    fieldsText(`Secret ${report.namespace}/${report.name}`, [
      ['Type', report.type],
      ['Data', report.data.length === 0 ? '(empty)' : report.data.join(', ')],
      ['Private key', keyText(report.privateKey)],
      ['Annotations', annotationLines(report.annotations)],
    ]),
    ...(leaf === undefined ? [] : [leafText(report, leaf, nowMs), chainText(report, nowMs)]),
    keeperText(report),
    fieldsText(
      'Hosts served with it',
      report.hosts.map(({ host, ingress, covered }) => [
        host,
        `Ingress ${ingress}: ${covered ? 'covered' : 'NOT covered'}`,
      ]),
    ),
    problems.length === 0
      ? painted('No problems were found.\n', 'green', isColoured)
      : `Problems\n${problems.join('\n')}\n`,
  ];
  return parts.filter(part => part !== '').join('\n');
}

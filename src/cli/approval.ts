import { type CertificateRequest, certificateRequests } from '../api/cert-manager/certificate-request.ts';
import { type Condition, findCondition, withCondition } from '../api/condition.ts';
import { keyOf, keyText } from '../api/meta.ts';
import { conditionTypes, requestReasons } from '../api/reasons.ts';
import { type ApprovalConfig, loadApprovalConfig } from '../config/approval-config.ts';
import { approvalSettings } from '../config/approval-settings.ts';
import { flagsHelp } from '../config/settings-help.ts';
import { rfc3339 } from '../core/clock.ts';
import { changeStatus, type StatusDecision } from './change-status.ts';
import { findObject } from './find-object.ts';
import { type Command, helpColumns } from './program.ts';
import { clause } from './status/sentence.ts';

/** The two verdicts on a CertificateRequest; each excludes the other. */
const verdicts = {
  approve: {
    type: conditionTypes.approved,
    done: 'approved',
    opposite: conditionTypes.denied,
    undone: 'denied',
  },
  deny: {
    type: conditionTypes.denied,
    done: 'denied',
    opposite: conditionTypes.approved,
    undone: 'approved',
  },
} as const;

type Verdict = keyof typeof verdicts;

interface Outcome {
  readonly isRefusal: boolean;
  /** A sentence for the user. */
  readonly sentence: string;
}

const byWhom = ({ reason, message }: Condition): string => `(${reason ?? 'no reason'}: ${clause(message)})`;

/** What has become of a request whose verdict comes too late. */
function endOf({ status }: CertificateRequest): string | undefined {
  const ready = findCondition(status?.conditions, conditionTypes.ready);
  if (ready?.status === 'True') return 'has been signed already: there is nothing left to decide';
  if (ready?.reason === requestReasons.failed) return `has failed already: ${clause(ready.message)}`;
  return undefined;
}

/** Decides what to do with a request. Pure. Both conditions are final, as in cert-manager. */
function decideVerdict(
  verdict: Verdict,
  request: CertificateRequest,
  { reason, message }: Pick<ApprovalConfig, 'reason' | 'message'>,
  nowMs: number,
): StatusDecision<CertificateRequest, Outcome> {
  const { type, done, opposite, undone } = verdicts[verdict];
  const name = `CertificateRequest ${keyText(keyOf(request))}`;
  const conditions = request.status?.conditions;
  const refused = (sentence: string) => ({ kind: 'leave', said: { isRefusal: true, sentence } }) as const;

  const other = findCondition(conditions, opposite);
  if (other?.status === 'True') {
    return refused(
      `${name} is ${undone} ${byWhom(other)}, and that is final; a new request, made by renewing its Certificate, can be ${done}.`,
    );
  }
  const same = findCondition(conditions, type);
  if (same?.status === 'True') {
    return {
      kind: 'leave',
      said: { isRefusal: false, sentence: `${name} is ${done} already ${byWhom(same)}.` },
    };
  }
  const end = endOf(request);
  if (end !== undefined) return refused(`${name} ${end}.`);
  return {
    kind: 'write',
    object: {
      ...request,
      status: {
        ...request.status,
        conditions: withCondition(conditions, {
          type,
          status: 'True',
          reason,
          message: message ?? `This was ${done} by "postern ${verdict}".`,
          lastTransitionTime: rfc3339(nowMs),
        }),
      },
    },
    said: { isRefusal: false, sentence: `${name} is ${done}.` },
  };
}

function introductionOf(verdict: Verdict): string {
  const { type, done } = verdicts[verdict];
  const [what, then] =
    verdict === 'approve'
      ? ['let a CertificateRequest be signed', 'Its issuer signs it then']
      : ['keep a CertificateRequest from being signed', 'It fails then'];
  return `postern ${verdict}: ${what}

Usage:
  postern ${verdict} NAME [flags]

Examples:
  postern ${verdict} shop-tls-1 -n shop
  postern ${verdict} shop-tls-1 -n shop --reason Policy --message "asked for in ticket 4711"

Sets the condition ${type} on the status of a CertificateRequest, as cmctl ${verdict} does.
${then}. A Postern that approves requests by itself leaves nothing to decide:
run it with --no-approve-requests.

Exit status: 0 it is ${done}; 1 it is not; 2 bad usage.

`;
}

function approvalCommand(verdict: Verdict, summary: string): Command {
  const help = (columns: number): string =>
    `${introductionOf(verdict)}${flagsHelp(approvalSettings, columns)}\n`;
  return {
    name: verdict,
    summary,
    help,
    async run(argv, program) {
      const { io } = program;
      const config = loadApprovalConfig(`postern ${verdict}`, {
        argv,
        environment: io.environment,
        readFile: path => program.readFile(path),
        homeDir: program.homeDir,
      });
      if (config === 'help') {
        io.stdout(help(helpColumns(io)));
        return 0;
      }
      const opened = await program.openApi(config.source);
      try {
        const key = { namespace: config.namespace ?? opened.namespace, name: config.name };
        const found = await findObject(opened.api, certificateRequests, key);
        const { isRefusal, sentence } = await changeStatus(opened.api, certificateRequests, found, request =>
          decideVerdict(verdict, request, config, program.now()),
        );
        if (isRefusal) io.stderr(`postern: ${sentence}\n`);
        else io.stdout(`${sentence}\n`);
        return isRefusal ? 1 : 0;
      } finally {
        await opened.close();
      }
    },
  };
}

/** `postern approve`. */
export const approveCommand = approvalCommand('approve', 'let a CertificateRequest be signed');
/** `postern deny`. */
export const denyCommand = approvalCommand('deny', 'keep a CertificateRequest from being signed');

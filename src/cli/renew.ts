import { type Certificate, certificates } from '../api/cert-manager/certificate.ts';
import { findCondition, withCondition } from '../api/condition.ts';
import { keyOf, keyText } from '../api/meta.ts';
import { certificateReadyReasons, conditionTypes, issuanceReasons } from '../api/reasons.ts';
import { sourceFlags } from '../config/command-source.ts';
import { loadRenewConfig, type RenewConfig } from '../config/renew-config.ts';
import { renewSettings } from '../config/renew-settings.ts';
import { flagsHelp } from '../config/settings-help.ts';
import { rfc3339 } from '../core/clock.ts';
import { PosternError } from '../core/errors.ts';
import { changeStatus, type StatusDecision } from './change-status.ts';
import { findObject } from './find-object.ts';
import { listInstalled } from './list-all.ts';
import { type Command, helpColumns, type OpenedApi, type Program } from './program.ts';
import { clause, quoted } from './status/sentence.ts';

const introduction = `postern renew: obtain certificates anew, now

Usage:
  postern renew NAME... [flags]
  postern renew --all [flags]
  postern renew -l SELECTOR [flags]

Examples:
  postern renew shop-tls -n shop            # one Certificate of the cluster of your kubeconfig
  postern renew -l app=shop -A              # those with a label, in all namespaces
  postern renew shop-tls --standalone ./manifests   # of a Postern that runs with that flag

Asks the Postern that runs to issue the Certificates again, with a new private key
unless their rotationPolicy is Never. The old certificate is served until the new one is
there. It sets the condition Issuing, with the reason ManuallyTriggered, on the status of
each Certificate, as cmctl renew does.

Exit status: 0 all were asked for; 1 some were not; 2 bad usage.

`;

/** What came of one Certificate. */
interface Outcome {
  readonly kind: 'asked' | 'refused' | 'under-way';
  /** A sentence for the user. */
  readonly sentence: string;
}

const nameOf = (certificate: Certificate): string => `Certificate ${keyText(keyOf(certificate))}`;

/** Why a Certificate that is asked for will not be issued as it is. */
function obstacleOf({ status }: Certificate): string | undefined {
  const ready = findCondition(status?.conditions, conditionTypes.ready);
  const blocking: readonly string[] = [
    certificateReadyReasons.invalidSpec,
    certificateReadyReasons.duplicateSecretName,
  ];
  if (ready === undefined || ready.status === 'True' || !blocking.includes(ready.reason ?? ''))
    return undefined;
  return clause(ready.message);
}

/** Decides what to do with one Certificate. Pure. */
function decideRenewal(certificate: Certificate, nowMs: number): StatusDecision<Certificate, Outcome> {
  const name = nameOf(certificate);
  const { metadata, status } = certificate;
  if (metadata.deletionTimestamp !== undefined) {
    return { kind: 'leave', said: { kind: 'refused', sentence: `${name} is being deleted.` } };
  }
  const issuing = findCondition(status?.conditions, conditionTypes.issuing);
  if (issuing?.status === 'True') {
    const since = issuing.lastTransitionTime === undefined ? '' : ` since ${issuing.lastTransitionTime}`;
    return {
      kind: 'leave',
      said: {
        kind: 'under-way',
        sentence: `${name} is being issued already${since} (${issuing.reason ?? 'no reason'}: ${clause(issuing.message)}); nothing was changed.`,
      },
    };
  }
  const conditions = withCondition(status?.conditions, {
    type: conditionTypes.issuing,
    status: 'True',
    reason: issuanceReasons.manuallyTriggered,
    message: 'The renewal was asked for by "postern renew".',
    lastTransitionTime: rfc3339(nowMs),
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
  });
  const obstacle = obstacleOf(certificate);
  return {
    kind: 'write',
    object: { ...certificate, status: { ...status, conditions } },
    said: {
      kind: 'asked',
      sentence: `${name} is to be renewed${obstacle === undefined ? '.' : `, once this is put right: ${obstacle}.`}`,
    },
  };
}

async function selected(
  { api, namespace: own }: OpenedApi,
  { which, namespace = own }: RenewConfig & { which: { kind: 'selected' } },
): Promise<readonly Certificate[]> {
  const { labelSelector, allNamespaces } = which;
  const found = await listInstalled(api, certificates, {
    namespace: allNamespaces ? undefined : namespace,
    labelSelector,
  });
  if (found.length > 0) return found;
  const labelled = labelSelector === undefined ? '' : ` with ${labelSelector}`;
  const where = allNamespaces ? 'in any namespace' : `in namespace ${quoted(namespace)}`;
  throw new PosternError(`There is no Certificate${labelled} ${where}.`, {
    code: 'OBJECT_NOT_FOUND',
    retry: 'never',
  });
}

async function renewOne(
  { api }: OpenedApi,
  program: Program,
  certificate: () => Promise<Certificate>,
): Promise<Outcome> {
  try {
    return await changeStatus(api, certificates, await certificate(), found =>
      decideRenewal(found, program.now()),
    );
  } catch (thrown) {
    // What keeps one from being renewed does not keep the others.
    if (!(thrown instanceof PosternError)) throw thrown;
    return { kind: 'refused', sentence: thrown.message };
  }
}

async function renew(opened: OpenedApi, config: RenewConfig, program: Program): Promise<number> {
  const { which, namespace = opened.namespace } = config;
  const wanted =
    which.kind === 'named'
      ? which.names.map(name => () => findObject(opened.api, certificates, { namespace, name }))
      : (await selected(opened, { ...config, which })).map(found => async () => found);
  let asked = 0;
  let failed = 0;
  for (const certificate of wanted) {
    const { kind, sentence } = await renewOne(opened, program, certificate);
    if (kind === 'asked') asked++;
    // Who asks for all has what was wanted where one is under way.
    if (kind === 'refused' || (kind === 'under-way' && which.kind === 'named')) {
      failed++;
      program.io.stderr(`postern: ${sentence}\n`);
    } else program.io.stdout(`${sentence}\n`);
  }
  if (asked > 0) {
    const scope = which.kind === 'selected' && which.allNamespaces ? '' : ` -n ${namespace}`;
    const one = which.kind === 'named' && which.names.length === 1 ? ` certificate ${which.names[0]}` : '';
    program.io.stdout(`Follow it by: postern status${one}${scope}${sourceFlags(config.source)}\n`);
  }
  return failed === 0 ? 0 : 1;
}

/** `postern renew`. */
export const renewCommand: Command = {
  name: 'renew',
  summary: 'obtain certificates anew, now',
  help: columns => `${introduction}${flagsHelp(renewSettings, columns)}\n`,
  async run(argv, program) {
    const { io } = program;
    const config = loadRenewConfig({
      argv,
      environment: io.environment,
      readFile: path => program.readFile(path),
      homeDir: program.homeDir,
    });
    if (config === 'help') {
      io.stdout(renewCommand.help(helpColumns(io)));
      return 0;
    }
    const opened = await program.openApi(config.source);
    try {
      return await renew(opened, config, program);
    } finally {
      await opened.close();
    }
  },
};

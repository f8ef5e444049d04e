import { certificates } from '../api/cert-manager/certificate.ts';
import { sourceFlags } from '../config/command-source.ts';
import { flagsHelp } from '../config/settings-help.ts';
import { loadStatusConfig, type StatusConfig } from '../config/status-config.ts';
import { statusSettings } from '../config/status-settings.ts';
import { PosternError } from '../core/errors.ts';
import { findObject } from './find-object.ts';
import { type Command, helpColumns, type OpenedApi, type Program, usesColour } from './program.ts';
import { chainOfCertificate, chainsOf } from './status/chains.ts';
import { certificateDetail } from './status/detail.ts';
import { readEvents, readStatusObjects } from './status/read-objects.ts';
import { reportJson, reportText } from './status/render.ts';
import { detailText } from './status/render-detail.ts';
import { reportItem } from './status/report.ts';

const introduction = `postern status: what is ready, and why the rest is not

Usage:
  postern status [flags]
  postern status certificate NAME [flags]

Examples:
  postern status                            # the cluster of your kubeconfig
  postern status --standalone ./manifests   # a Postern that runs with that flag
  postern status -n shop -o json            # for programs
  postern status certificate shop-tls -n shop   # one of them, in detail

Lists every Ingress, and every Certificate that no Ingress uses, with what was made
for it: Certificate, CertificateRequest, Order, Challenges, Secret and its expiry. For
what is not ready it names the deepest cause and what to do. Of one certificate it shows
the conditions, the objects of its chain, their events, and what can be done next.

Below that stands what the edge has to say of Ingresses, Mappings and TLSContexts: what
is refused, lost to another one, or served in another way than it is written.

With a state folder, manifests that could not be applied are named on standard error.

Exit status: 0 everything is ready; 1 something is not, or could not be read; 2 bad
usage.

`;

async function showAll(opened: OpenedApi, config: StatusConfig, program: Program): Promise<number> {
  const { io } = program;
  const { api, manifestProblems = [] } = opened;
  const chains = chainsOf(await readStatusObjects(api, config.namespace));
  const nowMs = program.now();
  const remarks = await program.edgeRemarks(api, {
    namespace: config.namespace,
    standalone: config.source.kind === 'state-folder',
    ingressClasses: config.ingressClasses,
    nowMs,
  });
  const items = chains.map(chain => reportItem(chain, nowMs));
  io.stdout(
    config.output === 'json' ? reportJson(items, remarks) : reportText(items, remarks, nowMs, usesColour(io)),
  );
  // Beside the report, so that programs read that alone.
  for (const problem of manifestProblems) io.stderr(`postern: manifest ${problem}\n`);
  return manifestProblems.length > 0 || items.some(({ state }) => state === 'not-ready') ? 1 : 0;
}

async function showCertificate(
  { api, namespace: own }: OpenedApi,
  { source, namespace = own, output, certificate: name }: StatusConfig & { readonly certificate: string },
  program: Program,
): Promise<number> {
  const { io } = program;
  const key = { namespace, name };
  // Says where there is one of that name, where it is not here.
  await findObject(api, certificates, key);
  const objects = await readStatusObjects(api, namespace);
  const chain = chainOfCertificate(objects, key);
  if (chain === undefined)
    throw new PosternError(`Certificate ${name} was deleted just now.`, {
      code: 'OBJECT_NOT_FOUND',
      retry: 'never',
    });
  const { secretName } = chain.certificate.spec;
  const users = objects.ingresses.filter(({ spec }) => spec?.tls?.some(tls => tls.secretName === secretName));
  const detail = certificateDetail(chain, users, await readEvents(api, { namespace }), {
    nowMs: program.now(),
    flags: sourceFlags(source),
  });
  io.stdout(
    output === 'json' ? `${JSON.stringify(detail, undefined, 2)}\n` : detailText(detail, usesColour(io)),
  );
  return detail.state === 'ready' ? 0 : 1;
}

/** `postern status`. */
export const statusCommand: Command = {
  name: 'status',
  summary: 'what is ready, and why the rest is not',
  help: columns => `${introduction}${flagsHelp(statusSettings, columns)}\n`,
  async run(argv, program) {
    const { io } = program;
    const config = loadStatusConfig({
      argv,
      environment: io.environment,
      readFile: path => program.readFile(path),
      homeDir: program.homeDir,
    });
    if (config === 'help') {
      io.stdout(statusCommand.help(helpColumns(io)));
      return 0;
    }
    const opened = await program.openApi(config.source);
    try {
      const { certificate } = config;
      return certificate === undefined
        ? await showAll(opened, config, program)
        : await showCertificate(opened, { ...config, certificate }, program);
    } finally {
      await opened.close();
    }
  },
};

import { certificates } from '../api/cert-manager/certificate.ts';
import { ingresses } from '../api/kubernetes/ingress.ts';
import { secrets } from '../api/kubernetes/secret.ts';
import type { KubeObject, ObjectKey } from '../api/meta.ts';
import type { Resource } from '../api/resource.ts';
import { loadInspectConfig } from '../config/inspect-config.ts';
import { inspectSettings } from '../config/inspect-settings.ts';
import { flagsHelp } from '../config/settings-help.ts';
import { isKubeError } from '../kube/errors.ts';
import type { KubeApi } from '../kube/port.ts';
import { findObject } from './find-object.ts';
import { type InspectedSecret, inspectedSecret } from './inspect/inspected-secret.ts';
import { secretText } from './inspect/render.ts';
import { secretReport } from './inspect/report.ts';
import { listAll } from './list-all.ts';
import { type Command, helpColumns, usesColour } from './program.ts';

const introduction = `postern inspect: look into a Secret with a certificate

Usage:
  postern inspect secret NAME [flags]

Examples:
  postern inspect secret shop-tls -n shop
  postern inspect secret shop-tls --standalone ./manifests
  postern inspect secret shop-tls -n shop -o json   # for programs

Shows the certificate of the Secret: its names, validity, issuer, key and chain; whether
the private key fits, who verifies the chain, when it is renewed, and which hosts are
served with it. Warns of what is wrong. Never shows the private key.

Exit status: 0 clients can be served with it, warnings or not; 1 they cannot, or it could
not be read; 2 bad usage.

`;

/** What is of use and no more: who may not list it does without. */
async function listReadable<T extends KubeObject>(
  api: KubeApi,
  resource: Resource<T>,
  namespace: string,
): Promise<T[]> {
  try {
    return await listAll(api, resource, { namespace });
  } catch (thrown) {
    if (isKubeError(thrown, 'KUBE_FORBIDDEN', 'KUBE_NOT_FOUND')) return [];
    throw thrown;
  }
}

async function readSecret(
  api: KubeApi,
  key: ObjectKey,
  publicRoots: readonly string[],
): Promise<InspectedSecret> {
  const secret = await findObject(api, secrets, key);
  const [foundCertificates, foundIngresses] = await Promise.all([
    listReadable(api, certificates, key.namespace),
    listReadable(api, ingresses, key.namespace),
  ]);
  return inspectedSecret(secret, {
    certificates: foundCertificates,
    ingresses: foundIngresses,
    publicRoots,
  });
}

/** `postern inspect`. */
export const inspectCommand: Command = {
  name: 'inspect',
  summary: 'look into a Secret with a certificate',
  help: columns => `${introduction}${flagsHelp(inspectSettings, columns)}\n`,
  async run(argv, program) {
    const { io } = program;
    const config = loadInspectConfig({
      argv,
      environment: io.environment,
      readFile: path => program.readFile(path),
      homeDir: program.homeDir,
    });
    if (config === 'help') {
      io.stdout(inspectCommand.help(helpColumns(io)));
      return 0;
    }
    const opened = await program.openApi(config.source);
    try {
      const key = { namespace: config.namespace ?? opened.namespace, name: config.name };
      const nowMs = program.now();
      const report = secretReport(await readSecret(opened.api, key, program.publicRoots()), nowMs);
      io.stdout(
        config.output === 'json'
          ? `${JSON.stringify(report, undefined, 2)}\n`
          : secretText(report, nowMs, usesColour(io)),
      );
      return report.problems.some(({ severity }) => severity === 'error') ? 1 : 0;
    } finally {
      await opened.close();
    }
  },
};

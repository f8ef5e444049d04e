import { flagsHelp } from '../config/settings-help.ts';
import { loadStatusConfig } from '../config/status-config.ts';
import { statusSettings } from '../config/status-settings.ts';
import { type Command, helpColumns, usesColour } from './program.ts';
import { chainsOf } from './status/chains.ts';
import { readStatusObjects } from './status/read-objects.ts';
import { reportJson, reportText } from './status/render.ts';
import { reportItem } from './status/report.ts';

const introduction = `postern status: what is ready, and why the rest is not

Usage:
  postern status [flags]

Examples:
  postern status                            # the cluster of your kubeconfig
  postern status --standalone ./manifests   # a Postern that runs with that flag
  postern status -n shop -o json            # for programs

Lists every Ingress, and every Certificate that no Ingress uses, with what was made
for it: Certificate, CertificateRequest, Order, Challenges, Secret and its expiry. For
what is not ready it names the deepest cause and what to do.

Exit status: 0 everything is ready; 1 something is not, or could not be read; 2 bad
usage.

`;

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
      const chains = chainsOf(await readStatusObjects(opened.api, config.namespace));
      const nowMs = program.now();
      const items = chains.map(chain => reportItem(chain, nowMs));
      io.stdout(config.output === 'json' ? reportJson(items) : reportText(items, nowMs, usesColour(io)));
      return items.some(({ state }) => state === 'not-ready') ? 1 : 0;
    } finally {
      await opened.close();
    }
  },
};

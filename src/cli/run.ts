import { loadConfig } from '../config/config.ts';
import { runSettings } from '../config/run-settings.ts';
import { flagsHelp } from '../config/settings-help.ts';
import { type Command, helpColumns } from './program.ts';

const introduction = `postern run: obtain certificates for Ingresses, and serve them over HTTPS

Usage:
  postern run [flags]

Examples:
  # In a cluster, or from outside by your kubeconfig:
  postern run --default-issuer-name le --default-issuer-kind ClusterIssuer

  # On one host, without a cluster: the manifests are the files of a folder.
  postern run --standalone ./manifests --http-listen :80 --https-listen :443

  # Take over the Ingresses of ingress-nginx, in one namespace:
  postern run --ingress-class nginx --namespace shop

Each flag can also be set by an environment variable, POSTERN_ and its name
(POSTERN_LOG_LEVEL=debug), or in the file of --config (log-level: debug). A flag
goes before the environment, that before the file. A LIST is separated by
commas, or its flag is repeated. SIGTERM and Ctrl-C end the process when its
work in hand is done; a second one ends it at once.

`;

/** `postern run`: the operator and the edge. */
export const runCommand: Command = {
  name: 'run',
  summary: 'obtain certificates for Ingresses, and serve them over HTTPS',
  help: columns => `${introduction}${flagsHelp(runSettings, columns)}\n`,
  async run(argv, program) {
    const { io } = program;
    const config = loadConfig({
      argv,
      environment: io.environment,
      readFile: path => program.readFile(path),
      isTty: io.stderrIsTty,
      homeDir: program.homeDir,
      addresses: () => program.addresses(),
    });
    if (config !== 'help') return program.start(config);
    io.stdout(runCommand.help(helpColumns(io)));
    return 0;
  },
};

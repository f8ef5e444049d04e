import type { LintFile } from '../api/lint-report.ts';
import { loadLintConfig } from '../config/lint-config.ts';
import { lintSettings } from '../config/lint-settings.ts';
import { flagsHelp } from '../config/settings-help.ts';
import { UsageError } from '../config/usage-error.ts';
import { messageOf } from '../core/errors.ts';
import { lintJson, lintText } from './lint/render.ts';
import { type Command, helpColumns, type Program, usesColour } from './program.ts';

const introduction = `postern lint: what Postern would make of your manifests

Usage:
  postern lint FILE... [flags]

Examples:
  postern lint ./manifests                    # every .yaml, .yml and .json below it
  postern lint shop.yaml --ingress-class nginx
  helm template my-chart | postern lint -     # standard input
  postern lint ./manifests -o json            # for programs

Reads manifests written for ingress-nginx, cert-manager or Emissary, without a cluster,
and says what is served differently, what is refused, and why. Objects that are not in
the files, Services and Secrets say, are taken to exist and to be right.

  invalid   it is not of the form of its kind
  refused   it is, and is not done: the object, or a part of it, answers 503
  differs   it is done in another way than it is written
  note      good to know; never a failure

Exit status: 0 nothing is invalid or refused; 1 something is, or with --strict differs;
2 bad usage.

`;

/** `postern lint`. */
export const lintCommand: Command = {
  name: 'lint',
  summary: 'what is refused or served differently of manifests, without a cluster',
  help: columns => `${introduction}${flagsHelp(lintSettings, columns)}\n`,
  async run(argv, program) {
    const { io } = program;
    const config = loadLintConfig({
      argv,
      environment: io.environment,
      readFile: path => program.readFile(path),
    });
    if (config === 'help') {
      io.stdout(lintCommand.help(helpColumns(io)));
      return 0;
    }
    const files = (await Promise.all(config.paths.map(path => read(path, program)))).flat();
    const report = program.lint(files, { ingressClasses: config.ingressClasses, nowMs: program.now() });
    io.stdout(config.output === 'json' ? lintJson(report) : lintText(report, usesColour(io)));
    const failing = new Set(['invalid', 'refused', ...(config.strict ? ['differs'] : [])]);
    return report.findings.some(({ severity }) => failing.has(severity)) ? 1 : 0;
  },
};

async function read(path: string, program: Program): Promise<LintFile[]> {
  if (path === '-') return [{ name: 'stdin', text: await program.readStdin() }];
  try {
    const below = program.filesIn(path);
    return (below ?? [path]).map(name => ({ name, text: program.readFile(name) }));
  } catch (thrown) {
    throw new UsageError([`${JSON.stringify(path)} cannot be read: ${messageOf(thrown)}.`]);
  }
}

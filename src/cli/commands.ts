import { nearest } from '../config/nearest.ts';
import { UsageError } from '../config/usage-error.ts';
import { PosternError } from '../core/errors.ts';
import { approveCommand, denyCommand } from './approval.ts';
import { inspectCommand } from './inspect.ts';
import { lintCommand } from './lint.ts';
import { type Command, helpColumns, type Program } from './program.ts';
import { renewCommand } from './renew.ts';
import { runCommand } from './run.ts';
import { statusCommand } from './status.ts';
import { versionCommand } from './version.ts';

const commands: readonly Command[] = [
  runCommand,
  statusCommand,
  lintCommand,
  inspectCommand,
  renewCommand,
  approveCommand,
  denyCommand,
  versionCommand,
];

const helpWords: readonly string[] = ['help', '--help', '-help', '-h'];

/** The help of `postern` itself. */
function overview(): string {
  const lines = commands.map(({ name, summary }) => `  postern ${name.padEnd(10)}${summary}`);
  return `Postern gives Kubernetes Ingresses their TLS: it turns annotated Ingresses into certificates,
gets them signed, and serves the Ingresses over HTTPS. With a cluster, or without one.

Commands:
${lines.join('\n')}

To begin:
  postern run --standalone ./manifests    serve the manifests of a folder, no cluster needed
  postern status                          what is ready, and why the rest is not
  postern lint ./manifests                what would be served differently, and what is refused
  postern help run                        all flags of a command
`;
}

function commandOf(name: string): Command {
  const found = commands.find(command => command.name === name);
  if (found !== undefined) return found;
  const guess = nearest(name, [...commands.map(command => command.name), 'help']);
  throw new UsageError([
    `There is no command ${JSON.stringify(name)}.${guess === undefined ? '' : ` Did you mean "postern ${guess}"?`}`,
  ]);
}

async function dispatch(argv: readonly string[], program: Program): Promise<number> {
  const { io } = program;
  const [first, ...rest] = argv;
  if (first === undefined) {
    io.stderr(overview());
    return 2;
  }
  if (helpWords.includes(first)) {
    const topic = rest[0];
    io.stdout(topic === undefined ? overview() : commandOf(topic).help(helpColumns(io)));
    return 0;
  }
  if (['--version', '-version', '-v'].includes(first)) return versionCommand.run([], program);
  return commandOf(first).run(rest, program);
}

/**
 * Runs a command line, without the name of the program. Gives the exit status: 0 where all went well, 1
 * where it did not, 2 where the command line, the environment or the configuration file cannot be used.
 * Reports PosternErrors on standard error; anything else is a defect, and is thrown.
 */
export async function runCommandLine(argv: readonly string[], program: Program): Promise<number> {
  try {
    return await dispatch(argv, program);
  } catch (thrown) {
    if (thrown instanceof UsageError) {
      const [name = ''] = argv;
      const topic = commands.some(command => command.name === name) ? ` ${name}` : '';
      program.io.stderr(`${thrown.problems.map(problem => `postern: ${problem}`).join('\n')}\n`);
      program.io.stderr(`See "postern help${topic}".\n`);
      return 2;
    }
    if (!(thrown instanceof PosternError)) throw thrown;
    program.io.stderr(`postern: ${thrown.message}\n`);
    return 1;
  }
}

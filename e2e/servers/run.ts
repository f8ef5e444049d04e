import { spawn } from 'node:child_process';

const tailBytes = 4_000;

export interface RunOptions {
  readonly cwd?: string;
  /** Laid over the environment of this process; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string;
}

/** The command ended with another exit code than 0, or could not be started at all. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
  readonly exitCode: number | undefined;
  readonly stderr: string;

  constructor(command: string, exitCode: number | undefined, stderr: string, cause?: unknown) {
    super(`${command}: ${exitCode === undefined ? 'did not run' : `exit code ${exitCode}`}\n${stderr}`, {
      cause,
    });
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

/**
 * Runs a command to its end and gives its stdout.
 * @throws CommandFailed with the end of its stderr.
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const shown = [command, ...args].join(' ').slice(0, 300);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr = (stderr + chunk).slice(-tailBytes);
    });
    child.on('error', cause => reject(new CommandFailed(shown, undefined, cause.message, cause)));
    child.on('close', code => {
      if (code === 0) resolve(stdout);
      else reject(new CommandFailed(shown, code ?? -1, stderr || stdout.slice(-tailBytes)));
    });
    child.stdin.on('error', () => {}); // the child may end before it has read everything
    child.stdin.end(options.stdin ?? '');
  });
}

/** As `run`, at the lowest priority that still gets on: builds share the machine with a person. */
export function runNicely(command: string, args: readonly string[], options?: RunOptions): Promise<string> {
  return run('nice', ['-n', '10', command, ...args], options);
}

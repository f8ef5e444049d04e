import type { CommandSource } from '../config/command-source.ts';
import type { Config } from '../config/config.ts';
import type { KubeApi } from '../kube/port.ts';
import { runCommandLine } from './commands.ts';
import type { Io, Program } from './program.ts';

export interface TestRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What was started, and what was opened. */
  readonly started: readonly Config[];
  readonly opened: readonly CommandSource[];
}

/** Runs a command line in a machine of its own. `api` is what `openApi` opens. */
export async function commandLine(
  argv: readonly string[],
  options: Partial<Program> & { readonly ioOptions?: Partial<Io>; readonly api?: KubeApi } = {},
): Promise<TestRun> {
  const { ioOptions, api, ...rest } = options;
  const run = { stdout: '', stderr: '', started: [] as Config[], opened: [] as CommandSource[] };
  const program: Program = {
    io: {
      stdout: text => {
        run.stdout += text;
      },
      stderr: text => {
        run.stderr += text;
      },
      environment: {},
      stdoutIsTty: false,
      stderrIsTty: false,
      columns: undefined,
      ...ioOptions,
    },
    version: '1.2.3',
    homeDir: '/home/someone',
    addresses: () => ['192.0.2.7'],
    readFile: () => {
      throw new Error('no such file');
    },
    filesIn: () => undefined,
    readStdin: async () => '',
    edgeRemarks: async () => [],
    lint: () => ({ findings: [], objects: 0, assumed: [] }),
    now: () => Date.UTC(2026, 0, 1),
    start: async config => {
      run.started.push(config);
      return 0;
    },
    openApi: async source => {
      run.opened.push(source);
      if (api === undefined) throw new Error('There is nothing to open.');
      return { api, namespace: 'default', close: async () => {} };
    },
    publicRoots: () => [],
    ...rest,
  };
  const status = await runCommandLine(argv, program);
  return { status, ...run };
}

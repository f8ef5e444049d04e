import type { EdgeRemark, EdgeRemarkOptions, LintFile, LintOptions, LintReport } from '../api/lint-report.ts';
import type { CommandSource } from '../config/command-source.ts';
import type { Config } from '../config/config.ts';
import type { KubeApi } from '../kube/port.ts';

/** The terminal or pipes that the program was started with. */
export interface Io {
  stdout(text: string): void;
  stderr(text: string): void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdoutIsTty: boolean;
  readonly stderrIsTty: boolean;
  /** The width of the terminal, where it is known. */
  readonly columns: number | undefined;
}

/** Objects to read, and to change the status of; closed when that is done. */
export interface OpenedApi {
  readonly api: KubeApi;
  /** The namespace that is meant where none is named. */
  readonly namespace: string;
  /** With a state folder: what is wrong with the manifests it is made from, `file:line: sentence` each. */
  readonly manifestProblems?: readonly string[] | undefined;
  close(): Promise<void>;
}

/** What the commands need of the rest of the program; `src/program.ts` gives it. */
export interface Program {
  readonly io: Io;
  readonly version: string;
  readonly homeDir: string;
  /** The addresses of this machine but loopback ones, the preferred first. */
  addresses(): readonly string[];
  /** Reads a text file; throws where it cannot. */
  readFile(path: string): string;
  /** The manifests below a folder, in their order; undefined where the path is no folder. Throws where it cannot be read. */
  filesIn(path: string): readonly string[] | undefined;
  /** All of standard input. */
  readStdin(): Promise<string>;
  /** What Postern would make of manifests. */
  lint(files: readonly LintFile[], options: LintOptions): LintReport;
  /** What the edge says of the objects that are there. */
  edgeRemarks(api: KubeApi, options: EdgeRemarkOptions): Promise<readonly EdgeRemark[]>;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs Postern until it is told to stop. Gives the exit status; throws what kept it from starting. */
  start(config: Config): Promise<number>;
  /** Opens a cluster or a state folder. */
  openApi(source: CommandSource): Promise<OpenedApi>;
  /** The certificates, in PEM, of the authorities that the public trusts. */
  publicRoots(): readonly string[];
}

/** A command of the command line. */
export interface Command {
  readonly name: string;
  /** What it does, in some words. */
  readonly summary: string;
  /** Its help, in lines of at most `columns`. */
  help(columns: number): string;
  /** `argv` is what follows the name. Gives the exit status. Throws UsageErrors and PosternErrors. */
  run(argv: readonly string[], program: Program): Promise<number>;
}

/** The width to write help in: that of the terminal, between 80 and 100. */
export function helpColumns(io: Io): number {
  return Math.min(100, Math.max(80, io.columns ?? 90));
}

/** Whether to colour what goes to standard output. Source: no-color.org. */
export function usesColour(io: Io): boolean {
  return io.stdoutIsTty && (io.environment['NO_COLOR'] ?? '') === '' && io.environment['TERM'] !== 'dumb';
}

import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';

/**
 * `make test`: gets or builds the real servers, then runs the static checks, the unit tests and the suites on real servers,
 * some side by side. Everything is run whatever else gave. Ends with one line, `N passed, N failed`, and a status to match.
 */
const root = join(import.meta.dirname, '..');

/** How many jobs run side by side, suites in a network namespace of their own. They wait on servers much of the time. */
const lanes = 5;

interface Tally {
  passed: number;
  skipped: number;
  /** Each failure by name, with what it says. */
  failures: string[];
}

/** What Vitest's JSON reporter writes, as far as it is read here. */
interface Report {
  numPassedTests: number;
  numPendingTests: number;
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
  }[];
}

const checks: readonly (readonly [what: string, ...command: string[]])[] = [
  ['types', 'tsc', '--noEmit', '-p', '.'],
  ['format', 'biome', 'ci', '--colors=off', '--error-on-warnings', '.'],
  ['lint', 'oxlint', '--type-aware', '--deny-warnings'],
  ['unused code', 'knip'],
  ['CRDs fit the schemas', 'node', 'crds/generate.ts', '--check'],
  ['settings in the documents', 'node', 'docs/generate.ts', '--check'],
  ['manifests fit the chart', 'node', 'deploy/render.ts', '--check'],
];

/** A piece of the whole; its output is shown when it has ended. */
interface Job {
  readonly what: string;
  run(): Promise<Tally>;
}

async function main(folder: string): Promise<Tally> {
  stage(
    'real servers: kube-apiserver, etcd, Pebble, helm (built where they are not in the cache; up to 15 minutes)',
  );
  // A part that cannot be had is told of here; the suites that cannot do without it fail by themselves.
  await run('node', ['e2e/servers/main.ts', 'all']);

  const jobs: Job[] = [
    ...checks.map(([what, command = '', ...args]) => ({ what, run: () => check(command, args) })),
    { what: 'unit and contract tests', run: () => vitest(['run'], join(folder, 'unit.json')) },
    ...(await endToEndRuns()).map((suites, index) => ({
      what: suites.join(', '),
      run: () =>
        vitest(['run', '--config', 'e2e/vitest.config.ts', ...suites], join(folder, `suites-${index}.json`), [
          'node',
          'e2e/netns.ts',
          '--',
        ]),
    })),
  ];
  stage(`${jobs.length} jobs, ${lanes} at a time; each is shown when it has ended`);
  const total: Tally = { passed: 0, skipped: 0, failures: [] };
  const left = jobs.values();
  const lane = async (): Promise<void> => {
    for (const job of left) {
      const { passed, skipped, failures } = await job.run();
      total.passed += passed;
      total.skipped += skipped;
      total.failures.push(...failures);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return total;
}

/** A static check counts as one test. */
async function check(command: string, args: readonly string[]): Promise<Tally> {
  const status = await run(command, args, 'at the end');
  const name = [command, ...args].join(' ');
  return status === 0
    ? { passed: 1, skipped: 0, failures: [] }
    : { passed: 0, skipped: 0, failures: [`${name}\nended with status ${status}`] };
}

/** Runs vitest with its own output, and counts from its JSON report. A run without a report is one failure. */
async function vitest(
  args: readonly string[],
  report: string,
  wrapper: readonly string[] = [],
): Promise<Tally> {
  const [command = '', ...rest] = [
    ...wrapper,
    'vitest',
    ...args,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ];
  const status = await run(command, rest, 'at the end');
  const name = `vitest ${args.join(' ')}`;
  try {
    const { numPassedTests, numPendingTests, testResults } = JSON.parse(
      await readFile(report, 'utf8'),
    ) as Report;
    const failures = testResults.flatMap(failuresOf);
    // Errors outside of tests leave no mark in the report.
    if (failures.length === 0 && status !== 0) failures.push(`${name}\nended with status ${status}`);
    return { passed: numPassedTests, skipped: numPendingTests, failures };
  } catch (error) {
    return { passed: 0, skipped: 0, failures: [`${name}\nleft no report: ${String(error)}`] };
  }
}

/** The failed tests of a file; a file whose set-up failed has none, and is a failure itself. */
function failuresOf({ name, status, message, assertionResults }: Report['testResults'][number]): string[] {
  const file = relative(root, name);
  const failed = assertionResults.filter(test => test.status === 'failed');
  const hidden =
    message || 'Its set-up failed, or an error came outside of its tests: its output above tells.';
  if (failed.length === 0 && status === 'failed') return [`${file}\n${hidden}`];
  return failed.map(
    ({ fullName, failureMessages }) => `${file} > ${fullName}\n${failureMessages.join('\n')}`,
  );
}

/** The suites that take longer than half a minute: each is a run of its own. Begun first, so that no lane has one left at the end. */
const longSuites = [
  'kube-faults',
  'crash',
  'resilience',
  'edge-attacks',
  'issuance',
  'take-over',
  'deploy',
  'acme-faults',
  'crds',
  'edge',
  'edge-requests',
  'kube-contract',
];

/** How many of the short suites share a run: to start Vitest costs as much time as some of them take. */
const shortSuitesARun = 4;

/** The files of suites, by runs: the long ones first. */
async function endToEndRuns(): Promise<string[][]> {
  const files = await readdir(join(root, 'e2e'), { recursive: true });
  const suites = files.filter(file => /\.(e2e|test)\.ts$/.test(file)).map(file => join('e2e', file));
  const isLong = (suite: string): boolean => longSuites.includes(basename(suite, '.e2e.ts'));
  const short = suites.filter(suite => !isLong(suite));
  const runs = Math.ceil(short.length / shortSuitesARun);
  return [
    ...suites.filter(isLong).map(suite => [suite]),
    // Dealt like cards, as those that have to do with the same take about as long.
    ...Array.from({ length: runs }, (_, run) => short.filter((_, index) => index % runs === run)),
  ];
}

/** Runs a command. Its output goes through as it comes, or whole when it has ended. */
function run(
  command: string,
  args: readonly string[],
  output: 'at once' | 'at the end' = 'at once',
): Promise<number> {
  return new Promise(resolve => {
    const stdio = output === 'at once' ? 'inherit' : 'pipe';
    const child = spawn(command, args, { cwd: root, env: environment, stdio: ['ignore', stdio, stdio] });
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', error => {
      process.stderr.write(`${command}: ${error.message}\n`);
      resolve(1);
    });
    child.on('close', status => {
      if (output === 'at the end') stage([command, ...args].join(' '));
      process.stdout.write(Buffer.concat(chunks));
      resolve(status ?? 1);
    });
  });
}

/** What a failure says and where it was, without the rest of the stack. */
function firstLines(text: string): string {
  const lines = text.split('\n');
  const firstFrame = lines.findIndex(line => line.startsWith('    at '));
  return lines
    .filter((line, index) => index <= firstFrame || !line.startsWith('    at '))
    .slice(0, 20)
    .join('\n')
    .slice(0, 2_000);
}

function stage(what: string): void {
  process.stdout.write(`\n==> ${what}\n`);
}

const folder = await mkdtemp(join(tmpdir(), 'postern-test-'));
/** Jobs compile the same packages, and do so once. */
const environment = { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compile-cache') };
try {
  const { passed, skipped, failures } = await main(folder);
  if (skipped > 0)
    process.stdout.write(
      `\n${skipped} tests do not apply to one of the Kubernetes lines and were not run there.\n`,
    );
  // Told once more at the end, where people look.
  for (const failure of failures) process.stdout.write(`\nFAILED ${firstLines(failure)}\n`);
  process.stdout.write(`\n${passed} passed, ${failures.length} failed\n`);
  process.exitCode = failures.length === 0 && passed > 0 ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/**
 * `make test`: the static checks, the unit tests, then the suites on real servers, which are got or built first.
 * Every stage is run whatever the one before it gave. Ends with one line, `N passed, N failed`, and a status to match.
 */
const root = join(import.meta.dirname, '..');

/** How many suites run side by side, each in a network namespace of its own. They wait on servers most of the time. */
const lanes = 3;

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
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

async function main(folder: string): Promise<Tally> {
  const total: Tally = { passed: 0, failed: 0, skipped: 0 };
  const add = (tally: Tally): void => {
    total.passed += tally.passed;
    total.failed += tally.failed;
    total.skipped += tally.skipped;
  };
  for (const [what, command = '', ...args] of checks) {
    stage(what);
    const status = await run(command, args);
    add({ passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: 0 });
  }
  stage('unit and contract tests');
  add(await vitest(['run'], join(folder, 'unit.json')));

  stage(
    'real servers: kube-apiserver, etcd, Pebble, helm (built where they are not in the cache; up to 15 minutes)',
  );
  // A part that cannot be had is told of here; the suites that cannot do without it fail by themselves.
  await run('node', ['e2e/servers/main.ts', 'all']);

  stage(`end-to-end tests on real servers, ${lanes} suites at a time`);
  const suites = await endToEndSuites();
  const lane = async (): Promise<void> => {
    for (let suite = suites.shift(); suite !== undefined; suite = suites.shift()) {
      const args = ['run', '--config', 'e2e/vitest.config.ts', suite];
      add(
        await vitest(
          args,
          join(folder, `${basename(suite)}.json`),
          ['node', 'e2e/netns.ts', '--'],
          'at the end',
        ),
      );
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return total;
}

/** Runs vitest with its own output, and counts from its JSON report. A run without a report is one failure. */
async function vitest(
  args: readonly string[],
  report: string,
  wrapper: readonly string[] = [],
  output: 'at once' | 'at the end' = 'at once',
): Promise<Tally> {
  const [command = '', ...rest] = [
    ...wrapper,
    'vitest',
    ...args,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ];
  const status = await run(command, rest, output);
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = JSON.parse(
      await readFile(report, 'utf8'),
    ) as Record<string, number>;
    const failed = numFailedTests ?? 0;
    // A suite whose set-up failed has no failed test, and errors outside of tests have neither.
    const hidden = failed === 0 && (status !== 0 || (numFailedTestSuites ?? 0) > 0) ? 1 : 0;
    return { passed: numPassedTests ?? 0, failed: failed + hidden, skipped: numPendingTests ?? 0 };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

/** The suites that take longer than a minute. Begun first, so that no lane has one left when the others are done. */
const longSuites = ['kube-faults', 'crash', 'resilience', 'issuance', 'take-over', 'deploy'];

/** The files of suites, the long ones first. */
async function endToEndSuites(): Promise<string[]> {
  const files = await readdir(join(root, 'e2e'), { recursive: true });
  const suites = files.filter(file => /\.(e2e|test)\.ts$/.test(file)).map(file => join('e2e', file));
  const isLong = (suite: string): boolean => longSuites.includes(basename(suite, '.e2e.ts'));
  return [...suites.filter(isLong), ...suites.filter(suite => !isLong(suite))];
}

/** Runs a command. Its output goes through as it comes, or whole when it has ended. */
function run(
  command: string,
  args: readonly string[],
  output: 'at once' | 'at the end' = 'at once',
): Promise<number> {
  return new Promise(resolve => {
    const stdio = output === 'at once' ? 'inherit' : 'pipe';
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', stdio, stdio] });
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', error => {
      process.stderr.write(`${command}: ${error.message}\n`);
      resolve(1);
    });
    child.on('close', status => {
      process.stdout.write(Buffer.concat(chunks));
      resolve(status ?? 1);
    });
  });
}

function stage(what: string): void {
  process.stdout.write(`\n==> ${what}\n`);
}

const folder = await mkdtemp(join(tmpdir(), 'postern-test-'));
try {
  const { passed, failed, skipped } = await main(folder);
  if (skipped > 0)
    process.stdout.write(
      `\n${skipped} tests do not apply to one of the Kubernetes lines and were not run there.\n`,
    );
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}

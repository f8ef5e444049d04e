import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/**
 * `make test`: the static checks, the unit tests, then the suites on real servers, which are got or built first.
 * Every stage is run whatever the one before it gave. Ends with one line, `N passed, N failed`, and a status to match.
 */
const root = join(import.meta.dirname, '..');

/** The suites wait on servers most of the time; two at once keep two cores busy. */
const shards = 2;

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

  stage(`end-to-end tests on real servers, in ${shards} network namespaces side by side`);
  const tallies = Array.from({ length: shards }, (_, index) => {
    const shard = `${index + 1}/${shards}`;
    const args = ['run', '--config', 'e2e/vitest.config.ts', `--shard=${shard}`];
    return vitest(args, join(folder, `e2e-${index}.json`), ['node', 'e2e/netns.ts', '--'], `${shard} | `);
  });
  for (const tally of await Promise.all(tallies)) add(tally);
  return total;
}

/** Runs vitest with its own output, and counts from its JSON report. A run without a report is one failure. */
async function vitest(
  args: readonly string[],
  report: string,
  wrapper: readonly string[] = [],
  prefix?: string,
): Promise<Tally> {
  const [command = '', ...rest] = [
    ...wrapper,
    'vitest',
    ...args,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ];
  const status = await run(command, rest, prefix);
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

/** Runs a command. Its output goes through, with `prefix` before each line where there is one. */
function run(command: string, args: readonly string[], prefix?: string): Promise<number> {
  return new Promise(resolve => {
    const output = prefix === undefined ? 'inherit' : 'pipe';
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', output, output] });
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null)
        createInterface(stream).on('line', line => process.stdout.write(`${prefix}${line}\n`));
    }
    child.on('error', error => {
      process.stderr.write(`${command}: ${error.message}\n`);
      resolve(1);
    });
    child.on('close', status => resolve(status ?? 1));
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

import { readFileSync } from 'node:fs';
import { homedir, networkInterfaces } from 'node:os';
import { text } from 'node:stream/consumers';
import { rootCertificates } from 'node:tls';
import { runCommandLine } from './cli/commands.ts';
import type { Config } from './config/config.ts';
import { createLogging } from './config/logging.ts';
import { machineAddresses } from './config/machine-addresses.ts';
import { systemClock } from './core/clock.ts';
import { messageOf, PosternError } from './core/errors.ts';
import { edgeRemarks } from './lint/edge-remarks.ts';
import { lintManifests } from './lint/lint.ts';
import { manifestFilesIn } from './manifest-files.ts';
import { openForCommand } from './open-for-command.ts';
import { start } from './start.ts';

const version = versionOfPackage();

/** Runs until SIGTERM or SIGINT; a second signal ends the process at once. */
async function runUntilSignalled(config: Config): Promise<number> {
  const logging = createLogging({
    ...config.log,
    clock: systemClock,
    stream: process.stderr,
    isColoured: Boolean(process.stderr.isTTY),
  });
  const { logger } = logging;
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (stop.signal.aborted) process.exit(128 + (name === 'SIGINT' ? 2 : 15));
    logger.info(`${name}: ending when the work in hand is done; again to end at once`);
    stop.abort();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  try {
    await start({
      config,
      clock: systemClock,
      logger,
      version,
      podName: process.env['POD_NAME'],
      podNamespace: process.env['POD_NAMESPACE'],
      signal: stop.signal,
    });
    return 0;
  } catch (error) {
    // What was raised on purpose says all in its message.
    logger.error(messageOf(error), error instanceof PosternError ? { code: error.code } : { error });
    return 1;
  } finally {
    await logging.close();
  }
}

/** A container may run as a user that has no home. */
function homeFolder(): string {
  try {
    return homedir();
  } catch {
    return '/';
  }
}

function versionOfPackage(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}

process.exitCode = await runCommandLine(process.argv.slice(2), {
  io: {
    stdout: text => void process.stdout.write(text),
    stderr: text => void process.stderr.write(text),
    environment: process.env,
    stdoutIsTty: Boolean(process.stdout.isTTY),
    stderrIsTty: Boolean(process.stderr.isTTY),
    columns: process.stdout.columns,
  },
  version,
  homeDir: homeFolder(),
  addresses: () => machineAddresses(networkInterfaces()),
  readFile: path => readFileSync(path, 'utf8'),
  filesIn: manifestFilesIn,
  readStdin: () => text(process.stdin),
  lint: lintManifests,
  edgeRemarks,
  now: () => systemClock.now(),
  start: runUntilSignalled,
  openApi: async source => openForCommand(source, `postern/${version}`),
  publicRoots: () => rootCertificates,
});

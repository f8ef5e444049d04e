import { readFileSync } from 'node:fs';
import { homedir, networkInterfaces } from 'node:os';
import { runCommandLine } from './cli/commands.ts';
import type { OpenedApi } from './cli/program.ts';
import type { Config } from './config/config.ts';
import { createLogging } from './config/logging.ts';
import { machineAddresses } from './config/machine-addresses.ts';
import type { StatusSource } from './config/status-config.ts';
import { systemClock } from './core/clock.ts';
import { messageOf } from './core/errors.ts';
import { silentLogger } from './core/logger.ts';
import { createClusterApi } from './kube/cluster/cluster-api.ts';
import { openEmbeddedApi } from './kube/embedded/open.ts';
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
      signal: stop.signal,
    });
    return 0;
  } catch (error) {
    logger.error(messageOf(error), { error });
    return 1;
  } finally {
    await logging.close();
  }
}

async function openToRead(source: StatusSource): Promise<OpenedApi> {
  if (source.kind === 'state-folder') {
    const api = openEmbeddedApi({
      stateDir: source.stateDir,
      clock: systemClock,
      logger: silentLogger,
      readOnly: true,
    });
    return { api, close: () => api.close() };
  }
  const api = createClusterApi({
    kubeconfigPath: source.kubeconfig,
    logger: silentLogger,
    userAgent: `postern/${version}`,
  });
  return { api, close: async () => api.close() };
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
  homeDir: homedir(),
  addresses: () => machineAddresses(networkInterfaces()),
  readFile: path => readFileSync(path, 'utf8'),
  now: () => systemClock.now(),
  start: runUntilSignalled,
  openApi: openToRead,
});

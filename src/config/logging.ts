import { createLogger as createWinston, format, transports } from 'winston';
import type { Clock } from '../core/clock.ts';
import type { LogFields, Logger } from '../core/logger.ts';
import { humanLine, jsonLine, type LogEntry } from './log-line.ts';
import { redactFields, redactText } from './redact.ts';

export interface LoggingOptions {
  readonly format: 'json' | 'human';
  readonly level: LogEntry['level'];
  readonly clock: Clock;
  readonly stream: NodeJS.WritableStream;
  /** Colours in human lines. Default false. */
  readonly isColoured?: boolean;
}

/** A log that goes to a stream. */
export interface Logging {
  readonly logger: Logger;
  /** Resolves when every line has been given to the stream. Nothing is logged afterwards. */
  close(): Promise<void>;
}

/** winston's levels, the gravest first. */
const levels = { error: 0, warn: 1, info: 2, debug: 3 } as const;

/**
 * The log of the process, by winston. Every line goes through the redaction of `redact.ts`: no private key,
 * token or Secret data leaves by it, whoever logs what. Stacks of errors are written at level debug only.
 */
export function createLogging(options: LoggingOptions): Logging {
  const { clock, stream, isColoured = false } = options;
  const withStacks = options.level === 'debug';
  const winston = createWinston({
    level: options.level,
    levels,
    format: format.printf(({ entry }) =>
      options.format === 'json' ? jsonLine(entry as LogEntry) : humanLine(entry as LogEntry, isColoured),
    ),
    transports: [new transports.Stream({ stream, eol: '\n' })],
  });
  let closed: Promise<void> | undefined;

  function loggerWith(bound: LogFields): Logger {
    const log =
      (level: LogEntry['level']) =>
      (message: string, fields: LogFields = {}): void => {
        if (closed !== undefined || !winston.isLevelEnabled(level)) return;
        const entry: LogEntry = {
          epochMs: clock.now(),
          level,
          message: redactText(message),
          fields: redactFields({ ...bound, ...fields }, withStacks),
        };
        winston.log({ level, message: '', entry });
      };
    return {
      debug: log('debug'),
      info: log('info'),
      warn: log('warn'),
      error: log('error'),
      child: fields => loggerWith({ ...bound, ...fields }),
    };
  }

  return {
    logger: loggerWith({}),
    close() {
      closed ??= new Promise(resolve => {
        winston.once('finish', () => resolve());
        winston.end();
      });
      return closed;
    },
  };
}

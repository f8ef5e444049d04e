import type { Clock } from '../core/clock.ts';
import type { AccessLog, AccessLogEntry, AccessLogFormat } from './access-log.ts';
import { entryFormatter, type FormatEntry } from './access-log-format.ts';

/** How long a line may wait for others, and how many characters wait at most. */
const longestWaitMs = 100;
const mostCharacters = 32_768;

/** Gathers lines, so that many go on their way at once. */
export class AccessLogWriter implements AccessLog {
  readonly #format: FormatEntry;
  readonly #clock: Clock;
  readonly #send: (lines: string) => void;
  #lines = '';
  #cancel: (() => void) | undefined;

  constructor(format: AccessLogFormat, clock: Clock, send: (lines: string) => void) {
    this.#format = entryFormatter(format);
    this.#clock = clock;
    this.#send = send;
  }

  write(entry: AccessLogEntry): void {
    this.#lines += `${this.#format(entry)}\n`;
    if (this.#lines.length > mostCharacters) this.flush();
    else this.#cancel ??= this.#clock.after(longestWaitMs, () => this.flush());
  }

  /** Sends what waits. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    if (this.#lines === '') return;
    const lines = this.#lines;
    this.#lines = '';
    this.#send(lines);
  }
}

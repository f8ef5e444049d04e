const started = performance.now();

/** One line on stderr, with the seconds since the process started to provision. */
export function progress(message: string): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stderr.write(`[servers ${seconds.padStart(6)} s] ${message}\n`);
}

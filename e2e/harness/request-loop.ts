/** Requests one after the other, from now on. */
export interface RequestLoop {
  /** Ends it. Rejects where any request failed, with what went wrong; else gives how many there were. */
  stop(): Promise<number>;
}

/** Calls `send` again and again, with a short pause; whatever it throws is a failure. */
export function startRequestLoop(send: () => Promise<void>, pauseMs = 20): RequestLoop {
  const failures: unknown[] = [];
  let count = 0;
  const over = new AbortController();
  const running = (async () => {
    while (!over.signal.aborted) {
      count += 1;
      try {
        await send();
      } catch (error) {
        failures.push(error);
      }
      await new Promise(resolve => setTimeout(resolve, pauseMs));
    }
  })();
  return {
    async stop() {
      over.abort();
      await running;
      if (failures.length > 0) {
        const kinds = [...new Set(failures.map(String))].slice(0, 5);
        throw new Error(`${failures.length} of ${count} requests failed:\n${kinds.join('\n')}`);
      }
      return count;
    },
  };
}

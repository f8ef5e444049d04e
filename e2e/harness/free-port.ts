import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the range that the kernel takes source ports from, so that a server gets its port back after a restart. */
const lowest = 20_000;
const highest = 32_000;

const given = new Set<number>();

/** A TCP port that is free on the address, and that this process has not been given before. */
export async function freePort(address: string): Promise<number> {
  for (;;) {
    const port = randomInt(lowest, highest);
    if (!given.has(port) && (await isFree(address, port))) {
      given.add(port);
      return port;
    }
  }
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port }, () => server.close(() => resolve(true)));
  });
}

import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Where an ACME server looks for HTTP01 answers when Posterns come and go, or several work for the same names. As a
 * patient load balancer, it waits a while for one that has the answer: a CA that finds nobody at home fails the order,
 * which no client can help.
 */
export interface ChallengeFront {
  readonly port: number;
  /** `host:port` of those that are asked; the first that has the answer gives it. */
  readonly backends: Set<string>;
  stop(): Promise<void>;
}

const pollMs = 100;

/** Starts it; on a free port of loopback unless told otherwise. After `patienceMs` it answers 404. */
export async function startChallengeFront({
  host = '127.0.0.1',
  port = 0,
  patienceMs = 8_000,
} = {}): Promise<ChallengeFront> {
  const backends = new Set<string>();
  const look = async (path: string, host: string): Promise<Buffer | undefined> => {
    const deadline = performance.now() + patienceMs;
    while (performance.now() < deadline) {
      const asked = [...backends].map(backend => answerAt(backend, path, host));
      const body = await Promise.any(asked).catch(() => undefined);
      if (body !== undefined) return body;
      await sleep(pollMs);
    }
    return undefined;
  };
  const server = createServer(({ url = '/', headers }, response) => {
    const give = async () => {
      const body = await look(url, headers.host ?? '');
      response.writeHead(body === undefined ? 404 : 200, { connection: 'close' });
      response.end(body);
    };
    void give();
  });
  await new Promise<void>(resolve => server.listen(port, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    backends,
    stop() {
      server.closeAllConnections();
      return new Promise(resolve => server.close(() => resolve()));
    },
  };
}

/** The body of a 200; rejects for all else. */
function answerAt(backend: string, path: string, host: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { headers: { host }, agent: false, signal: AbortSignal.timeout(2_000) };
    const sent = httpRequest(`http://${backend}${path}`, options, response => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks));
        else reject(new Error(`${response.statusCode}`));
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

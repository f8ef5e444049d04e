import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Where an ACME server looks for HTTP01 answers when several Posterns of one machine work for the same names. As a patient
 * load balancer, it waits a while for one that has the answer.
 */
export interface ChallengeFront {
  readonly port: number;
  /** Ports of loopback that are asked; the first that has the answer gives it. */
  readonly backends: Set<number>;
  stop(): Promise<void>;
}

const pollMs = 100;

/** Starts it on loopback. After `patienceMs` it answers 404. */
export async function startChallengeFront(patienceMs = 5_000): Promise<ChallengeFront> {
  const backends = new Set<number>();
  const server = createServer(async (message, response) => {
    const { url: path = '/', headers } = message;
    const deadline = performance.now() + patienceMs;
    let body: Buffer | undefined;
    do {
      const asked = [...backends].map(port => answerAt(port, path, headers.host ?? ''));
      body = await Promise.any(asked).catch(() => undefined);
      if (body === undefined) await sleep(pollMs);
    } while (body === undefined && performance.now() < deadline);
    response.writeHead(body === undefined ? 404 : 200, { connection: 'close' });
    response.end(body);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
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
function answerAt(port: number, path: string, host: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      path,
      headers: { host },
      agent: false,
      signal: AbortSignal.timeout(2_000),
    };
    const sent = httpRequest(options, response => {
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

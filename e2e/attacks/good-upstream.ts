import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface GoodUpstream {
  readonly port: number;
  close(): Promise<void>;
}

const large = Buffer.alloc(8 * 1_048_576, 'x');

/** Answers `ok`, at `/large` with 8 MiB; bodies are read. */
export async function startGoodUpstream(): Promise<GoodUpstream> {
  const server = createServer((request, response) => {
    request.on('error', () => {});
    request.resume();
    request.on('end', () => response.end(request.url?.startsWith('/large') === true ? large : 'ok'));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

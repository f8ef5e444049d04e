import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that came to the end of the chain, whole. */
export interface RecordedRequest {
  readonly method: string;
  readonly target: string;
  /** A byte a character. */
  readonly body: string;
  /** The values of the field that proxies in front mark their requests with. */
  readonly marks: readonly string[];
}

/** The last server of a chain: it answers `ok`, and keeps what it got until that is taken. */
export interface Recorder {
  readonly port: number;
  take(): RecordedRequest[];
  close(): Promise<void>;
}

/** What proxies that stand in front of the edge mark their requests with. */
export const markField = 'x-front';

export async function startRecorder(): Promise<Recorder> {
  let recorded: RecordedRequest[] = [];
  const server = createServer({ maxHeaderSize: 262_144 }, (request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('latin1');
    });
    request.on('error', () => {});
    request.on('end', () => {
      const { method = '', url = '', rawHeaders } = request;
      const marks = rawHeaders.filter(
        (_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === markField,
      );
      recorded.push({ method, target: url, body, marks });
      response.end('ok');
    });
  });
  server.maxHeadersCount = 0;
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    take() {
      const taken = recorded;
      recorded = [];
      return taken;
    },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

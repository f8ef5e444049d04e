import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { headerFieldsOf } from '../../exchange/header-fields.ts';
import type { BodySink } from '../../exchange/ports.ts';
import { TimerWheel } from '../../timers/timer-wheel.ts';
import { checkedLookup } from '../../upstream/checked-lookup.ts';
import { Http1Connector } from '../../upstream/http1-connector.ts';

/** What came of one request to an upstream. */
export type AnswerReading =
  | { readonly kind: 'whole'; readonly status: number; readonly body: string }
  /** Cut off in the body. */
  | { readonly kind: 'broken'; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string };

/** Reads answers as the edge does, and as Node's client does, from an upstream that sends given bytes and closes. */
export interface AnswerReader {
  readByEdge(method: string, answer: Buffer): Promise<AnswerReading>;
  readByNode(method: string, answer: Buffer): Promise<AnswerReading>;
  close(): Promise<void>;
}

export async function answerReader(): Promise<AnswerReader> {
  let answer: Buffer = Buffer.alloc(0);
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.once('data', () => socket.end(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const wheel = new TimerWheel(1_000, () => 0);
  const connector = new Http1Connector(checkedLookup(true), wheel);
  const reader: AnswerReader = {
    readByEdge(method, bytes) {
      answer = bytes;
      return new Promise(resolve => {
        let status = 0;
        connector.open(
          // An endpoint of its own has a pool of its own: no connection is used again.
          { endpoint: { address: '127.0.0.1', port }, tls: undefined },
          {
            method,
            authority: 'foo.com',
            scheme: 'http',
            target: '/',
            fields: headerFieldsOf([]),
            framing: { kind: 'none' },
            upgrade: undefined,
            trailersWanted: false,
          },
          { connectMs: 5_000, readMs: 5_000, sendMs: 5_000 },
          {
            sent: () => {},
            drained: () => {},
            informed: () => {},
            answered(head, body) {
              ({ status } = head);
              body.pipe(gathering(resolve, () => status));
            },
            upgraded: () => resolve({ kind: 'failed', why: 'upgraded' }),
            failed: ({ message }) => resolve({ kind: 'failed', why: message }),
          },
        );
      });
    },
    readByNode(method, bytes) {
      answer = bytes;
      return new Promise(resolve => {
        const outgoing = request({ host: '127.0.0.1', port, method, agent: false, maxHeaderSize: 262_144 });
        const failed = (error: Error): void => resolve({ kind: 'failed', why: error.message });
        let received: IncomingMessage | undefined;
        outgoing.on('error', (error: Error & { bytesParsed?: number }) => {
          // What comes behind a whole answer is another matter: the edge gives the connection up for it, too.
          if (received?.complete === true && error.bytesParsed !== undefined)
            resolve(
              reader.readByNode(method, bytes.subarray(0, Math.min(error.bytesParsed, bytes.length - 1))),
            );
          else failed(error);
        });
        outgoing.on('upgrade', (_response, socket) => {
          socket.destroy();
          failed(new Error('upgraded'));
        });
        outgoing.on('response', response => {
          received = response;
          let body = '';
          response.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')));
          response.on('error', error => resolve({ kind: 'broken', why: error.message }));
          response.on('end', () =>
            resolve(
              response.complete
                ? { kind: 'whole', status: response.statusCode ?? 0, body }
                : { kind: 'broken', why: 'incomplete' },
            ),
          );
        });
        outgoing.end();
      });
    },
    async close() {
      connector.close();
      wheel.close();
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  return reader;
}

function gathering(resolve: (reading: AnswerReading) => void, status: () => number): BodySink {
  let body = '';
  return {
    consumes: true,
    write(chunk) {
      body += chunk.toString('latin1');
      return true;
    },
    end: () => resolve({ kind: 'whole', status: status(), body }),
    abort: error => resolve({ kind: 'broken', why: error.message }),
  };
}

/** Why an answer that the edge would pass on whole is another one to Node's client; undefined where it is not. */
export function answersDiffer(edge: AnswerReading, node: AnswerReading): string | undefined {
  if (edge.kind !== 'whole') return undefined;
  if (node.kind !== 'whole') return `taken by the edge alone (${node.why})`;
  if (edge.status !== node.status) return `status ${edge.status}, ${node.status}`;
  return edge.body === node.body
    ? undefined
    : `body ${JSON.stringify(edge.body)}, ${JSON.stringify(node.body)}`;
}

import {
  Client,
  type ClientOptions,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import type { Identity } from '../harness/test-authority.ts';

/** Messages are texts: no schema is needed to carry them. */
const serialize = (text: string): Buffer => Buffer.from(text);
const deserialize = (bytes: Buffer): string => bytes.toString();

const method = (path: string, responseStream: boolean) => ({
  path,
  requestStream: false,
  responseStream,
  requestSerialize: serialize,
  requestDeserialize: deserialize,
  responseSerialize: serialize,
  responseDeserialize: deserialize,
});

/**
 * A gRPC server of the service `e2e.Echo`: `Say` answers with the text and the `:authority` it was asked by, with a trailer
 * `sum`; `Count` streams the numbers to the one it is sent; `Fail` answers NOT_FOUND.
 */
export async function startGrpcUpstream(
  at: { readonly address: string; readonly port: number },
  identity?: Identity,
): Promise<Server> {
  const server = new Server();
  server.addService(
    {
      Say: method('/e2e.Echo/Say', false),
      Count: method('/e2e.Echo/Count', true),
      Fail: method('/e2e.Echo/Fail', false),
    },
    {
      Say(
        call: { request: string; getHost(): string },
        done: (error: null, text: string, trailer: Metadata) => void,
      ) {
        const trailer = new Metadata();
        trailer.set('sum', String(call.request.length));
        done(null, `${call.request} by ${call.getHost()}`, trailer);
      },
      Count(call: { request: string; write(text: string): void; end(): void }) {
        for (let number = 1; number <= Number(call.request); number += 1) call.write(String(number));
        call.end();
      },
      Fail(_call: unknown, done: (error: Partial<ServiceError>) => void) {
        done({ code: status.NOT_FOUND, details: 'no such thing' });
      },
    },
  );
  const given =
    identity === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [
          { cert_chain: Buffer.from(identity.certPem), private_key: Buffer.from(identity.keyPem) },
        ]);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`${at.address}:${at.port}`, given, error =>
      error === null ? resolve() : reject(error),
    );
  });
  return server;
}

/** A client of that service, through the edge. */
export interface GrpcClient {
  say(text: string): Promise<{ readonly text: string; readonly trailer: string | undefined }>;
  count(to: number): Promise<string[]>;
  /** The status that the call fails with. */
  fail(): Promise<{ readonly code: number; readonly details: string }>;
  close(): void;
}

/** Over TLS, for the name `host`, verified. */
export function grpcClient(options: {
  readonly address: string;
  readonly host: string;
  readonly ca: string;
}): GrpcClient {
  const { address, host, ca } = options;
  const names: ClientOptions = { 'grpc.ssl_target_name_override': host, 'grpc.default_authority': host };
  const client = new Client(`${address}:443`, credentials.createSsl(Buffer.from(ca)), names);
  const deadline = (): { deadline: number } => ({ deadline: Date.now() + 8_000 });
  return {
    say: text =>
      new Promise((resolve, reject) => {
        let trailer: string | undefined;
        const call = client.makeUnaryRequest(
          '/e2e.Echo/Say',
          serialize,
          deserialize,
          text,
          new Metadata(),
          deadline(),
          (error, answer) =>
            error === null ? setImmediate(() => resolve({ text: answer ?? '', trailer })) : reject(error),
        );
        call.on('status', ({ metadata }) => {
          trailer = metadata.get('sum')[0]?.toString();
        });
      }),
    async count(to) {
      const call = client.makeServerStreamRequest(
        '/e2e.Echo/Count',
        serialize,
        deserialize,
        String(to),
        new Metadata(),
        deadline(),
      );
      const numbers: string[] = [];
      for await (const number of call) numbers.push(number as string);
      return numbers;
    },
    fail: () =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          '/e2e.Echo/Fail',
          serialize,
          deserialize,
          'x',
          new Metadata(),
          deadline(),
          error =>
            error === null
              ? reject(new Error('it did not fail'))
              : resolve({ code: error.code, details: error.details }),
        );
      }),
    close: () => client.close(),
  };
}

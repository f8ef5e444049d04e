import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { KubeObject } from '../../api/meta.ts';
import { keyOf, keyText } from '../../api/meta.ts';
import { type Resource, resourceId } from '../../api/resource.ts';
import { messageOf, PosternError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import { KubeError } from '../errors.ts';
import type { KubeApi } from '../port.ts';
import { mostBytes, updateStatusPath, updateStatusRequest } from './protocol.ts';

export interface ControlServerOptions {
  /** Where the socket is made. One that is there is replaced: the caller holds the lock of its folder. */
  readonly path: string;
  readonly api: Pick<KubeApi, 'updateStatus'>;
  /** What may be written to. */
  readonly resources: readonly Resource<KubeObject>[];
  readonly logger: Logger;
}

/** A listening control socket. */
export interface ControlServer {
  /** Removes the socket and cuts what is under way. */
  close(): Promise<void>;
}

const requestTimeoutMs = 10_000;

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).byteLength;
    if (bytes > mostBytes)
      throw new KubeError('KUBE_INVALID', `the request is larger than ${mostBytes} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(text: string): ReturnType<typeof updateStatusRequest.parse> {
  try {
    return updateStatusRequest.parse(JSON.parse(text));
  } catch (thrown) {
    throw new KubeError('KUBE_INVALID', 'the request is not {"resource": ..., "object": ...}', {
      cause: thrown,
    });
  }
}

async function updateStatus(options: ControlServerOptions, request: IncomingMessage): Promise<KubeObject> {
  const { resource: id, object } = parsed(await bodyOf(request));
  const resource = options.resources.find(one => resourceId(one) === id);
  if (resource === undefined)
    throw new KubeError('KUBE_INVALID', `there is no resource ${JSON.stringify(id)}`);
  const stored = await options.api.updateStatus(resource, object);
  options.logger.info('The status of an object was changed by a command', {
    kind: resource.kind,
    object: keyText(keyOf(stored)),
  });
  return stored;
}

function send(response: ServerResponse, status: number, answer: object): void {
  const body = Buffer.from(JSON.stringify(answer));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.byteLength });
  response.end(body);
}

function answerFailure(response: ServerResponse, thrown: unknown, logger: Logger): void {
  if (thrown instanceof KubeError) {
    send(response, 422, { code: thrown.code, message: thrown.message });
    return;
  }
  logger.error('A command could not be answered', { error: thrown });
  send(response, 500, {
    code: 'KUBE_UNAVAILABLE',
    message: 'this failed; the log of Postern has the reason',
  });
}

/**
 * Listens on a Unix-domain socket, mode 0600, for the commands that change the status of an object in the store
 * of a running process, which no other process may write to. Throws a PosternError (CONTROL_SOCKET_FAILED) where
 * the socket cannot be made, as with a path longer than the 107 bytes that a socket's may have (unix(7)).
 */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const { path, logger } = options;
  const server = createServer({
    requestTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs / 2,
  });
  server.maxConnections = 16;
  server.on('request', (request, response) => {
    response.shouldKeepAlive = false;
    if (request.method !== 'POST' || request.url !== updateStatusPath) {
      send(response, 404, { code: 'KUBE_INVALID', message: `Here is POST ${updateStatusPath} alone` });
      return;
    }
    updateStatus(options, request).then(
      object => send(response, 200, object),
      (thrown: unknown) => answerFailure(response, thrown, logger),
    );
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  try {
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, () => resolve());
    });
    // The folder is closed to others already; this holds where somebody opens that.
    chmodSync(path, 0o600);
  } catch (thrown) {
    server.close();
    throw new PosternError(`The control socket ${path} cannot be made: ${messageOf(thrown)}.`, {
      code: 'CONTROL_SOCKET_FAILED',
      retry: 'never',
      cause: thrown,
    });
  }
  return {
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

import { request } from 'node:http';
import type { KubeObject } from '../../api/meta.ts';
import { type Resource, resourceId } from '../../api/resource.ts';
import { messageOf, PosternError, TerminalError } from '../../core/errors.ts';
import { parseJson } from '../cluster/body.ts';
import { KubeError } from '../errors.ts';
import type { KubeApi } from '../port.ts';
import { failureAnswer, mostBytes, objectAnswer, updateStatusPath } from './protocol.ts';

const deadlineMs = 15_000;

/** Nobody listens: there is no socket, or one that its process left behind. */
const nobodyThere: ReadonlySet<string> = new Set(['ENOENT', 'ECONNREFUSED']);

function unreachable(folder: string, thrown: unknown): PosternError {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  if (nobodyThere.has(code)) {
    return new TerminalError(
      `No Postern runs on the state folder ${folder}, and what is asked for is done by the one that does: ` +
        'start it (postern run --standalone ...), then ask again.',
      { code: 'POSTERN_NOT_RUNNING', cause: thrown },
    );
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new TerminalError(
      `The Postern of the state folder ${folder} runs as another user: ask as that user.`,
      { code: 'POSTERN_NOT_REACHED', cause: thrown },
    );
  }
  return new PosternError(
    `The Postern of the state folder ${folder} does not answer: ${messageOf(thrown)}.`,
    { code: 'POSTERN_NOT_REACHED', cause: thrown },
  );
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

function post(path: string, body: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        socketPath: path,
        path: updateStatusPath,
        method: 'POST',
        agent: false,
        headers: { 'content-type': 'application/json' },
        signal: AbortSignal.timeout(deadlineMs),
      },
      response => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.byteLength;
          if (bytes > mostBytes) response.destroy(new Error('the answer is too large'));
          chunks.push(chunk);
        });
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, body: parseJson(text) });
        });
      },
    );
    sent.on('error', reject);
    sent.end(JSON.stringify(body));
  });
}

/**
 * `updateStatus` of the `KubeApi` port, done by the process that has the state folder `folder`, through its
 * control socket at `path`. Throws what the port throws; POSTERN_NOT_RUNNING where no process has the folder;
 * POSTERN_NOT_REACHED where one has and cannot be asked.
 */
export function createControlClient(folder: string, path: string): Pick<KubeApi, 'updateStatus'> {
  return {
    async updateStatus<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T> {
      let answer: Answer;
      try {
        answer = await post(path, { resource: resourceId(resource), object });
      } catch (thrown) {
        throw unreachable(folder, thrown);
      }
      if (answer.status !== 200) {
        const failure = failureAnswer.safeParse(answer.body);
        if (!failure.success) throw unreachable(folder, new Error(`it answered ${answer.status}`));
        throw new KubeError(failure.data.code, failure.data.message);
      }
      const stored = objectAnswer.safeParse(answer.body);
      if (!stored.success) throw unreachable(folder, new Error('its answer is no object'));
      return stored.data as T;
    },
  };
}

import { readByCodec } from '../../src/edge/http1/fuzzing/codec-reading.testing.ts';
import { rawExchange } from './raw-exchange.ts';
import type { RecordedRequest, Recorder } from './recorder.ts';

/**
 * Sends the bytes of a client to the edge, behind which stands another proxy and behind that the recorder. Gives why what came
 * through is not what the edge has accepted; undefined where it is. One at a time for a recorder.
 */
export async function faultBehind(
  edgePort: number,
  recorder: Recorder,
  bytes: Buffer,
): Promise<string | undefined> {
  const { requests: expected, inBody } = readByCodec([bytes]);
  const { statuses, closed } = await rawExchange(edgePort, bytes, expected.length);
  // What the one before left on a connection would come first, or would spoil this one.
  const sentinel = Buffer.from('GET /sentinel HTTP/1.1\r\nHost: foo.com\r\nConnection: close\r\n\r\n');
  const after = await rawExchange(edgePort, sentinel, 1);
  const recorded = recorder.take();
  const sentinels = recorded.filter(({ target }) => target === '/sentinel').length;
  if (after.statuses[0] !== 200 || sentinels !== 1)
    return `the request after it got ${after.statuses[0] ?? 'nothing'} (${sentinels} came through)`;
  if (statuses.length < expected.length && !inBody)
    return `${statuses.length} answers to ${expected.length} requests${closed ? ', closed' : ''}`;
  const came = recorded.filter(({ target }) => target !== '/sentinel');
  for (const [index, mine] of expected.entries()) {
    const next = came[0];
    const isSame = next?.method === mine.method && next.target === mine.target && next.body === mine.body;
    if (isSame) came.shift();
    else if (statuses[index] === 200)
      return `request ${index}: sent ${JSON.stringify(mine)}, came ${JSON.stringify(next)}`;
  }
  const extra: RecordedRequest | undefined = came[0];
  return extra === undefined ? undefined : `a request that nobody made: ${JSON.stringify(extra)}`;
}

import { rawExchange } from './raw-exchange.ts';
import type { RecordedRequest } from './recorder.ts';

/** Sends the bytes of a client to a proxy in front of the edge, and waits until that has closed the connection. */
export async function sendToFront(port: number, bytes: Buffer): Promise<void> {
  await rawExchange(port, bytes, Number.POSITIVE_INFINITY);
}

/**
 * Why these requests, which came through a proxy in front and the edge, are not just those that the proxy has sent: each of
 * those has its mark, once. Undefined where they are.
 */
export function faultBefore(mark: string, recorded: readonly RecordedRequest[]): string | undefined {
  const seen = new Set<string>();
  for (const request of recorded) {
    const [value = '', ...more] = request.marks;
    const [by, id = '', method] = value.split(' ');
    if (by !== mark || more.length > 0)
      return `a request that the front did not send: ${JSON.stringify(request)}`;
    if (method !== request.method) return `the front sent ${method}: ${JSON.stringify(request)}`;
    if (seen.has(id)) return `a request of the front came twice: ${JSON.stringify(request)}`;
    seen.add(id);
  }
  return undefined;
}

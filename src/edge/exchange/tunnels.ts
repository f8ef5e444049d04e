import type { BodySink, BodySource } from './ports.ts';

/** One side of what has become one connection. */
export interface TunnelSide {
  readonly source: BodySource;
  readonly sink: BodySink;
}

/**
 * Copies both ways until either side ends; then both are closed. `over` is called once, with the bytes that went to the
 * client. Gives what is to be called when the upstream's sink has room again; the client's calls `source.resume` itself.
 */
export function joinTunnels(
  client: TunnelSide,
  upstream: TunnelSide,
  over: (bytesToClient: number) => void,
): () => void {
  let bytes = 0;
  let done = false;
  const finish = (): void => {
    if (done) return;
    done = true;
    over(bytes);
  };
  const through = (sink: BodySink, count: boolean): BodySink => ({
    write(chunk) {
      if (count) bytes += chunk.length;
      return sink.write(chunk);
    },
    end() {
      sink.end();
      finish();
    },
    abort(error) {
      sink.abort(error);
      finish();
    },
  });
  client.source.pipe(through(upstream.sink, false));
  upstream.source.pipe(through(client.sink, true));
  return () => client.source.resume();
}

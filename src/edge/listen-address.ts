import { type PosternError, TerminalError } from '../core/errors.ts';

/** An address to listen on, or that is listened on. An undefined `host` is every interface. */
export interface ListenAddress {
  readonly host: string | undefined;
  readonly port: number;
}

/** Reads `host:port`, `:port`, `[address]:port`; port 0 takes a free one. Throws EDGE_LISTEN_ADDRESS_INVALID. */
export function parseListenAddress(text: string): ListenAddress {
  const [, bracketed, plain, port = ''] =
    /^(?:\[([0-9a-fA-F:.%a-z]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  if (port === '' || Number(port) > 65_535) {
    throw new TerminalError(`${JSON.stringify(text)} is no address to listen on: write host:port or :port`, {
      code: 'EDGE_LISTEN_ADDRESS_INVALID',
    });
  }
  return { host: bracketed ?? (plain === '' || plain === '*' ? undefined : plain), port: Number(port) };
}

/** Writes it as a person would. */
export function formatListenAddress({ host, port }: ListenAddress): string {
  return `${host === undefined ? '' : host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** What went wrong with binding an address, as one who starts the program should read it. */
export function listenError(address: ListenAddress, cause: Error & { code?: unknown }): PosternError {
  const place = formatListenAddress(address);
  const why =
    cause.code === 'EADDRINUSE'
      ? 'another program listens there'
      : cause.code === 'EACCES'
        ? 'ports below 1024 need root or CAP_NET_BIND_SERVICE'
        : cause.message;
  return new TerminalError(`the edge cannot listen on ${place}: ${why}`, {
    code: 'EDGE_LISTEN_FAILED',
    cause,
  });
}

import type { UpstreamProtocol, UpstreamTls } from './table.ts';

/**
 * The key of a backend in the table: `service`, as `namespace/name:port`, and behind a blank how it is spoken to, where
 * that is not plain HTTP/1.1. One Service can be spoken to in several ways, each a backend of its own.
 */
export function backendKey(
  service: string,
  protocol: UpstreamProtocol,
  tls: Pick<UpstreamTls, 'id'> | undefined,
): string {
  const http2 = protocol === 'http2' ? ' h2' : '';
  return tls === undefined ? `${service}${http2}` : `${service}${http2} tls ${tls.id}`;
}

/** `namespace/name:port` of a backend's key, as people know it. */
export function serviceOfKey(key: string): string {
  const blank = key.indexOf(' ');
  return blank < 0 ? key : key.slice(0, blank);
}

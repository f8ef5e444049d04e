/**
 * Directives of nginx that guard nothing: sizes, times, compression, logs, and what browsers may keep. A snippet of these
 * alone can be left out; with any other the Ingress would be served more openly than its owner wrote, or otherwise.
 */
const harmlessDirectives: ReadonlySet<string> = new Set([
  'access_log',
  'brotli',
  'brotli_comp_level',
  'brotli_types',
  'charset',
  'chunked_transfer_encoding',
  'client_body_buffer_size',
  'client_body_timeout',
  'client_header_buffer_size',
  'client_header_timeout',
  'error_log',
  'etag',
  'expires',
  'gzip',
  'gzip_comp_level',
  'gzip_min_length',
  'gzip_proxied',
  'gzip_types',
  'gzip_vary',
  'keepalive_requests',
  'keepalive_timeout',
  'large_client_header_buffers',
  'log_not_found',
  'log_subrequest',
  'postpone_output',
  'proxy_buffer_size',
  'proxy_buffering',
  'proxy_buffers',
  'proxy_busy_buffers_size',
  'proxy_connect_timeout',
  'proxy_http_version',
  'proxy_max_temp_file_size',
  'proxy_read_timeout',
  'proxy_request_buffering',
  'proxy_send_timeout',
  'proxy_socket_keepalive',
  'proxy_temp_file_write_size',
  'send_timeout',
  'sendfile',
  'server_tokens',
  'tcp_nodelay',
  'tcp_nopush',
]);

/** Whether every directive of a snippet is a harmless one. Blocks and what cannot be read never are. */
export function harmlessSnippet(text: string): boolean {
  const bare = text.replaceAll(/^\s*#.*$/gm, '').trim();
  if (bare === '') return true;
  if (/[{}'"\\#]/.test(bare) || !bare.endsWith(';')) return false;
  const statements = bare.slice(0, -1).split(';');
  return statements.every(statement =>
    harmlessDirectives.has(/^\s*([a-z_0-9]+)(?:\s|$)/.exec(statement)?.[1] ?? ''),
  );
}

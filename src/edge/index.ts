export type { AccessLogFormat } from './access-log.ts';
export { parseAccessLogFormat } from './access-log-format.ts';
export { type Edge, startEdge } from './edge.ts';
export type { EdgeConfig, EmissaryCaches } from './options.ts';

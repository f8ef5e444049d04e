export { describeTable } from './compile/describe-table.ts';
export type { RoutingTable } from './compile/table.ts';
export { type Edge, startEdge } from './edge.ts';
export type { CreateEngine, EdgeTimeouts } from './engine.ts';
export { type Finding, type FindingReason, findingReasons } from './finding.ts';
export { type EdgeMetrics, noEdgeMetrics, type RequestFacts } from './metrics.ts';
export type { EdgeCaches, EdgeConfig, EdgeOptions } from './options.ts';

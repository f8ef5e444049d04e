export { type Edge, startEdge } from './edge.ts';
export type { EmissaryCaches } from './options.ts';

import type { Duplex } from 'node:stream';
import type { RawHead } from '../policy/raw-head.ts';
import type { ConnectionFacts } from '../policy/request-head.ts';
import type { ServingParts } from '../protocol-server.ts';
import type { Agents } from '../upstream/agents.ts';
import type { RoundRobin } from '../upstream/round-robin.ts';
import type { Decision } from './node-decide.ts';

/** What the server on Node's HTTP stands on. */
export interface NodeParts extends ServingParts {
  decide(head: RawHead): Decision;
  factsOf(socket: Duplex): ConnectionFacts;
  readonly agents: Agents;
  readonly roundRobin: RoundRobin;
}

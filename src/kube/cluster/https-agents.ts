import { Agent, type AgentOptions, type RequestOptions } from 'node:https';
import type { TlsSettings } from './credentials.ts';

/** Pools of connections, one for each of the TLS settings that there have been. */
export interface HttpsAgents {
  /** The pool for requests with these settings; the same object gives the same pool. */
  agentFor(tls: TlsSettings): Agent;
  /** Breaks off all connections. */
  destroy(): void;
}

/**
 * Node's agent would keep connections of other settings apart by a name in which all of them stand, the CA's octets as
 * text, and makes it several times for each request. Here every agent has the requests of one.
 */
class OneTlsAgent extends Agent {
  override getName({ host, port }: RequestOptions = {}): string {
    return `${host}:${port}`;
  }
}

const isInUse = ({ sockets, freeSockets }: Agent): boolean =>
  Object.keys(sockets).length + Object.keys(freeSockets).length > 0;

/** Makes no connection yet. */
export function createHttpsAgents(options: AgentOptions): HttpsAgents {
  let current: { readonly tls: TlsSettings; readonly agent: Agent } | undefined;
  /** Those of earlier settings, for as long as they have connections: idle ones end by their timeout. */
  let earlier: Agent[] = [];
  return {
    agentFor(tls) {
      if (current?.tls === tls) return current.agent;
      earlier = [...earlier, ...(current === undefined ? [] : [current.agent])].filter(isInUse);
      const agent = new OneTlsAgent({ ...options, ...tls });
      current = { tls, agent };
      return agent;
    },
    destroy() {
      current?.agent.destroy();
      for (const agent of earlier) agent.destroy();
    },
  };
}

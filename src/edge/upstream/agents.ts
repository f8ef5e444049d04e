import { type Agent, Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { LookupFunction } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import type { UpstreamTls } from '../compile/table.ts';
import { upstreamContext } from './upstream-context.ts';

const pooling = { keepAlive: true, maxFreeSockets: 64, scheduling: 'lifo' } as const;

/** The connection pools: one for plain HTTP, and one for each way of speaking TLS, which must never share a connection. */
export interface Agents {
  /** Throws where the TLS library refuses the CA or the client certificate. */
  agentFor(tls: UpstreamTls | undefined): Agent;
  /** Lets the pools go whose TLS is not among these ids. Connections in use live on until they are free. */
  keep(tlsIds: ReadonlySet<string>): void;
  close(): void;
}

export function createAgents(lookup: LookupFunction): Agents {
  const plain = new HttpAgent({ ...pooling, lookup });
  const secure = new Map<string, SecureAgent>();
  return {
    agentFor(tls) {
      if (tls === undefined) return plain;
      const known = secure.get(tls.id);
      if (known !== undefined) return known;
      const made = secureAgent(tls, lookup);
      secure.set(tls.id, made);
      return made;
    },
    keep(tlsIds) {
      for (const [id, agent] of secure) {
        if (tlsIds.has(id)) continue;
        secure.delete(id);
        agent.retire();
      }
    },
    close() {
      for (const agent of [plain, ...secure.values()]) agent.destroy();
      secure.clear();
    },
  };
}

function secureAgent(tls: UpstreamTls, lookup: LookupFunction): SecureAgent {
  const { verify, verifiedName } = tls;
  return new SecureAgent({
    ...pooling,
    lookup,
    secureContext: upstreamContext(tls),
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: verify,
    servername: tls.serverName ?? '',
    // Without SNI Node would check the certificate against the address.
    checkServerIdentity: (_, certificate) => checkServerIdentity(verifiedName, certificate),
  });
}

/** All connections of one agent have the same TLS settings: the address is name enough. */
class SecureAgent extends HttpsAgent {
  override getName(options: { host?: string; port?: number | string }): string {
    return `${options.host ?? ''}:${options.port ?? ''}`;
  }

  /** Ends idle connections now and the others when they come back. */
  retire(): void {
    this.maxFreeSockets = 0;
    for (const sockets of Object.values(this.freeSockets))
      for (const socket of sockets ?? []) socket.destroy();
  }
}
